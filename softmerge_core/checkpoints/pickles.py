"""What a pickle says, without doing any of it: no name in it is ever looked up, nothing is imported or called.

Its opcodes are followed one by one, within a budget. The few names that torch writes into a state dict stand for
descriptions of tensors; any other name is refused, for an ordinary reader of pickles would call what it names.
"""

import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, NoReturn

from softmerge_core.checkpoints.header import MAX_DIMENSIONS
from softmerge_core.errors import CheckpointError, short

MAX_OPCODES = 1_000_000
STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16",
    "LongStorage": "int64", "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8",
    "ByteStorage": "uint8", "BoolStorage": "bool",
}  # fmt: skip
DTYPES = (*STORAGES.values(), "uint16", "uint32", "uint64")
REBUILD = tuple(f"torch._utils._rebuild_{name}" for name in ("tensor", "tensor_v2", "tensor_v3"))
PASSING = ("torch._utils._rebuild_parameter", "torch._utils._rebuild_parameter_with_state", "torch.Size")
HARMLESS = {
    "collections.OrderedDict", "collections.Counter", "collections.defaultdict", "torch.Size", "torch.device",
    "torch.Tensor", "torch.nn.parameter.Parameter", "torch.serialization._get_layout", "_codecs.encode",
    "torch._tensor._rebuild_from_type_v2", "torch.storage.UntypedStorage", "torch.storage.TypedStorage",
    "torch._utils._rebuild_sparse_tensor", "torch._utils._rebuild_qtensor", "numpy.dtype", "numpy.ndarray",
    *(f"numpy.{core}.multiarray.{name}" for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
    *(f"{module}.{name}" for module in ("builtins", "__builtin__") for name in ("set", "bytearray", "complex")),
    *(f"torch{module}.{name}" for module in ("", ".cuda") for name in STORAGES),
    *(f"torch.{name}" for name in DTYPES), *REBUILD, *PASSING,
}  # fmt: skip
CALLING = {"INST", "OBJ", "EXT1", "EXT2", "EXT4", "PERSID"}  # torch writes none of them
CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
STORED = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
    "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8",
}  # fmt: skip
DAMAGE = (ValueError, IndexError, KeyError, TypeError, OverflowError, EOFError, AttributeError)


@dataclass(frozen=True, eq=False)
class Name:
    """The name of something outside the pickle."""

    name: str


@dataclass(frozen=True, eq=False)
class Thing:
    """Something that is of no use here."""

    kind: str
    parts: list[Any] | None = None


@dataclass(frozen=True, eq=False)
class Storage:
    """The bytes that a tensor lies in; ``dtype`` is None where the tensor tells it."""

    key: str
    dtype: str | None


@dataclass(frozen=True, eq=False)
class TensorPlan:
    """A tensor: where it lies in its storage, counted in elements."""

    storage: Storage
    dtype: str
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def follow(stream: BytesIO, what: str, storages: "dict[str, Storage] | None" = None) -> Any:
    """Return what the next pickle of ``stream`` holds: plain values, and the classes above for the rest.

    Every storage that it names is put into ``storages``, by its key. Raises CheckpointError for a damaged pickle, one
    too long, and one that names anything but parts of a state dict.
    """
    machine = _Machine({} if storages is None else storages)
    try:
        operations = _counted(pickletools.genops(stream), what)
        for code, argument in operations:
            if code == "STOP":
                return machine.stack.pop()
            foreign = machine.foreign(code, argument)
            if foreign is not None:
                _refuse(operations, foreign, what)
            machine.do(code, argument)
    except DAMAGE as error:
        raise CheckpointError(f"{what}: neither safetensors nor a torch file ({short(error)})") from error
    raise CheckpointError(f"{what}: neither safetensors nor a torch file")


def _counted(operations: Iterator[Any], what: str) -> Iterator[tuple[str, Any]]:
    for number, (opcode, argument, _) in enumerate(operations):
        if number >= MAX_OPCODES:
            raise CheckpointError(f"{what}: expected a list of layers, got a pickle of over {MAX_OPCODES:,} steps")
        yield opcode.name, argument


def _refuse(rest: Iterator[Any], foreign: str, what: str) -> NoReturn:
    """Raise that a pickle would run code, unless its rest shows that it is none at all."""
    for _ in rest:
        pass
    raise CheckpointError(f"{what}: refused, it would run code ({short(foreign)})")


class _Machine:
    """The stack, marks and memo of a pickle machine (Python's pickletools)."""

    def __init__(self, storages: dict[str, Storage]) -> None:
        self.storages = storages
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}

    def foreign(self, code: str, argument: Any) -> str | None:
        """Return what a step would call or look up that is no part of a state dict, or None."""
        if code in CALLING:
            words = str(argument).split(" ")
            if code == "INST" and not all(word.replace(".", "_").isidentifier() for word in words):
                raise ValueError("no pickle")  # a text
            return ".".join(words) if code == "INST" else code
        if code == "GLOBAL":
            name = str(argument).replace(" ", ".")
        elif code == "STACK_GLOBAL":
            parts = self.stack[-2:]
            name = ".".join(parts) if all(isinstance(part, str) for part in parts) else code
        else:
            return None
        return None if name in HARMLESS else name

    def do(self, code: str, argument: Any) -> None:
        """Take one step."""
        if code in STORED:
            self.stack.append(argument)
        elif code in CONSTANTS:
            self.stack.append(CONSTANTS[code])
        elif code in ("GLOBAL", "STACK_GLOBAL"):
            name = str(argument).replace(" ", ".") if code == "GLOBAL" else ".".join(self.take(2))
            self.stack.append(Name(name))
        elif code in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self.memo[len(self.memo) if code == "MEMOIZE" else argument] = self.stack[-1]
        elif code in ("GET", "BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[argument])
        elif code not in ("PROTO", "FRAME"):
            STEPS[code](self)

    def take(self, count: int) -> list[Any]:
        """Take the last ``count`` values off the stack."""
        if len(self.stack) < count:
            raise IndexError("the pickle's stack is empty")
        taken = self.stack[len(self.stack) - count :]
        del self.stack[len(self.stack) - count :]
        return taken

    def marked(self) -> list[Any]:
        """Take all values since the last mark."""
        return self.take(len(self.stack) - self.marks.pop())

    def mark(self) -> None:
        """Set a mark."""
        self.marks.append(len(self.stack))

    def pop(self) -> None:
        """Drop the last value, or the last mark."""
        if self.marks and self.marks[-1] == len(self.stack):
            self.marks.pop()
        else:
            self.take(1)

    def collect(self, values: list[Any]) -> None:
        """Append values to the list below them."""
        if isinstance(self.stack[-1], list):
            self.stack[-1].extend(values)

    def assign(self, values: list[Any]) -> None:
        """Set items of the dictionary below them; only keys that a state dict can have are kept."""
        target = self.stack[-1]
        if isinstance(target, dict):
            for key, value in zip(values[::2], values[1::2], strict=True):
                if isinstance(key, str) or (isinstance(key, int) and key.bit_length() <= 64):
                    target[key] = value

    def push(self, value: Any) -> None:
        """Put a value on the stack."""
        self.stack.append(value)


STEPS: dict[str, Callable[[_Machine], Any]] = {
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": _Machine.marked,
    "DUP": lambda machine: machine.push(machine.stack[-1]),
    "EMPTY_LIST": lambda machine: machine.push([]),
    "EMPTY_DICT": lambda machine: machine.push({}),
    "EMPTY_TUPLE": lambda machine: machine.push(()),
    "EMPTY_SET": lambda machine: machine.push(Thing("set")),
    "ADDITEMS": _Machine.marked,
    "FROZENSET": lambda machine: machine.push(Thing("frozenset", machine.marked())),
    "LIST": lambda machine: machine.push(machine.marked()),
    "TUPLE": lambda machine: machine.push(tuple(machine.marked())),
    "TUPLE1": lambda machine: machine.push(tuple(machine.take(1))),
    "TUPLE2": lambda machine: machine.push(tuple(machine.take(2))),
    "TUPLE3": lambda machine: machine.push(tuple(machine.take(3))),
    "DICT": lambda machine: _dict(machine, machine.marked()),
    "APPEND": lambda machine: machine.collect(machine.take(1)),
    "APPENDS": lambda machine: machine.collect(machine.marked()),
    "SETITEM": lambda machine: machine.assign(machine.take(2)),
    "SETITEMS": lambda machine: machine.assign(machine.marked()),
    "BUILD": lambda machine: machine.take(1),
    "REDUCE": lambda machine: machine.push(_reduced(*machine.take(2))),
    "NEWOBJ": lambda machine: machine.push(_reduced(*machine.take(2))),
    "NEWOBJ_EX": lambda machine: machine.push(_reduced(*machine.take(3)[:2])),
    "BINPERSID": lambda machine: _name_storage(machine, _storage(*machine.take(1))),
}


def _dict(machine: _Machine, values: list[Any]) -> None:
    machine.push({})
    machine.assign(values)


def _name_storage(machine: _Machine, storage: Storage) -> None:
    machine.storages[storage.key] = storage
    machine.push(storage)


def _storage(told: Any) -> Storage:
    """Return the storage that torch's persistent id speaks of: ("storage", type, key, place, size, ...)."""
    if not (isinstance(told, tuple) and len(told) >= 5 and told[0] == "storage" and isinstance(told[1], Name)):
        raise ValueError("unknown persistent id")
    if not isinstance(told[2], str) or (len(told) > 5 and told[5] is not None):
        raise ValueError("unknown storage")
    return Storage(told[2], STORAGES.get(told[1].name.rpartition(".")[2]))


def _reduced(called: Any, arguments: Any) -> Any:
    """Return what a call in a state dict stands for; nothing is called."""
    if not isinstance(called, Name) or not isinstance(arguments, tuple):
        return Thing("object")
    if called.name.startswith("collections."):
        return {}
    if called.name in REBUILD:
        return _plan(called.name, arguments)
    if called.name in PASSING and arguments:
        return arguments[0]
    if called.name == "torch._tensor._rebuild_from_type_v2" and len(arguments) >= 3:
        return _reduced(arguments[0], arguments[2])
    return Thing(called.name.rpartition(".")[2].replace("_rebuild_", ""))


def _plan(name: str, arguments: tuple[Any, ...]) -> TensorPlan | Thing:
    storage, offset, shape, stride = arguments[:4]
    if not isinstance(storage, Storage):
        return Thing("tensor without data")
    dtype = storage.dtype
    if name.endswith("_v3") and isinstance(arguments[6], Name):
        dtype = arguments[6].name.rpartition(".")[2]
    if not isinstance(shape, tuple) or not isinstance(stride, tuple) or not len(shape) == len(stride) <= MAX_DIMENSIONS:
        raise ValueError(f"expected at most {MAX_DIMENSIONS} sizes, each with its stride")
    numbers = (offset, *shape, *stride)
    if not all(type(number) is int and 0 <= number < 2**63 for number in numbers):
        raise ValueError("a tensor's offset, shape or stride is none")
    if dtype not in DTYPES:
        return Thing("tensor of an unknown type")
    return TensorPlan(storage, dtype, offset, tuple(shape), tuple(stride))
