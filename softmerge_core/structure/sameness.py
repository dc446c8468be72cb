"""Whether two networks are built and compute alike: their layers, tensors, ties, settings and code."""

from collections.abc import Iterable, Iterator
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from softmerge_core.errors import SourceError, short
from softmerge_core.structure.code import Likeness, ancestors, names_read
from softmerge_core.structure.kinds import layer

MATTERS_NOT = {  # what changes training, speed or memory, and not what a trained network computes
    "training", "inplace", "momentum", "memory_efficient", "use_checkpoint", "gradient_checkpointing", "use_reentrant",
    "device",
}  # fmt: skip
ABSENT = object()


def check_same(first: nn.Module, first_name: str, other: nn.Module, other_name: str) -> None:
    """Raise SourceError, naming the layer or tensor, unless two networks differ in nothing but the values in them.

    Compared are, layer by layer: the class (another class object passes if it has the same name and its forward the
    same code, as after a notebook's cell was run again); names, shapes and roles of parameters and buffers, and
    whether they are floating-point (float16 beside float32 passes); which are tied to which; and every attribute that
    the class's forward reads: numbers, texts, functions, constant tensors. Rates of dropout, ``momentum``,
    ``inplace`` and ``training`` may differ.

    Not seen are hooks, objects of one's own that are no modules (a configuration, say), what such objects do when
    they are called, attributes that are read by a function outside the class, and code that is not Python's.
    """
    _refuse((first_name, other_name), _differences(first, other) if first is not other else ())


def check_same_layers(first: nn.Module, first_name: str, other: nn.Module, other_name: str) -> None:
    """Raise SourceError, naming the layer, unless two networks have layers of the same classes, of whatever widths."""
    _refuse((first_name, other_name), _of_layers(_layers(first), _layers(other), Likeness()))


def _refuse(names: tuple[str, str], differences: Iterable[str]) -> None:
    for difference in differences:
        raise SourceError(f"sources {names[0]!r} and {names[1]!r} are of two architectures: {difference}")


def _differences(first: nn.Module, other: nn.Module) -> Iterator[str]:
    one, two, likeness = _layers(first), _layers(other), Likeness()
    yield from _of_layers(one, two, likeness)
    yield from _of_order(one, two)
    tensors = all_tensors(first), all_tensors(other)
    yield from _of_tensors(*tensors)
    yield from _of_ties(*map(_ties, tensors))
    yield from _of_settings(one, two, likeness)


Layers = dict[str, nn.Module]


def _layers(network: nn.Module) -> Layers:
    return dict(network.named_modules(remove_duplicate=False))


def _of_layers(first: Layers, other: Layers, likeness: Likeness) -> Iterator[str]:
    for path in [*first, *(path for path in other if path not in first)]:
        one, two = first.get(path), other.get(path)
        if one is None or two is None or type(one).__qualname__ != type(two).__qualname__:
            yield f"{layer(path)}: {_kind(one)} in the first, {_kind(two)} in the second"
        elif type(one) is not type(two) and not _same_class(type(one), type(two), likeness):
            places = " and ".join(dict.fromkeys(type(module).__module__ for module in (one, two)))
            yield f"{layer(path)}: two versions of {_kind(one)} (of {places}), whose code is not the same"


def _kind(module: nn.Module | None) -> str:
    return "absent" if module is None else short(type(module).__qualname__.rpartition("<locals>.")[2])


def _same_class(one: type, other: type, likeness: Likeness) -> bool:
    """Whether what the forward of two classes of one name reaches is alike in them and in the classes above them."""
    above = [ancestors(one), ancestors(other)]
    if [kind.__qualname__ for kind in above[0]] != [kind.__qualname__ for kind in above[1]]:
        return False
    names = names_read(one) | names_read(other)
    return all(
        likeness.alike(vars(a).get(name), vars(b).get(name))
        for a, b in zip(*above, strict=True)
        for name in names
        if not (name.startswith("__") or matters_not(one, name))
    )


def _of_order(first: Layers, other: Layers) -> Iterator[str]:
    """A container runs its layers in their order, whatever they are called."""
    for path, module in first.items():
        if isinstance(module, nn.Sequential | nn.ModuleDict):
            orders = [list(layers[path]._modules) for layers in (first, other)]
            if orders[0] != orders[1]:
                names = [", ".join(map(short, order)) for order in orders]
                yield f"{layer(path)}: its layers are {names[0]} in the first and {names[1]} in the second"


Tensors = dict[str, Tensor]


def all_tensors(network: nn.Module) -> Tensors:
    """Return every parameter and buffer by each of its names."""
    named = network.named_parameters(remove_duplicate=False), network.named_buffers(remove_duplicate=False)
    return {name: tensor for tensors in named for name, tensor in tensors}


def _of_tensors(first: Tensors, other: Tensors) -> Iterator[str]:
    for name in [*first, *(name for name in other if name not in first)]:
        one, two = first.get(name), other.get(name)
        for say in (_shape, _role, _numbers):
            if say(one) != say(two):
                yield f"{short(name)} is {say(one)} in the first and {say(two)} in the second"
                break


def _shape(tensor: Tensor | None) -> str:
    return "absent" if tensor is None else f"of shape {list(tensor.shape)}"


def _role(tensor: Tensor | None) -> str:
    return "a parameter" if isinstance(tensor, nn.Parameter) else "a buffer"


def _numbers(tensor: Tensor | None) -> str:
    """The dtype, but that floating-point numbers of all sizes can be merged."""
    return "" if tensor is None else "floating-point" if tensor.is_floating_point() else f"of {tensor.dtype}"


def _ties(tensors: Tensors) -> dict[str, str]:
    """Each tensor's name, with the first of the names that the same tensor has."""
    names: dict[int, str] = {}
    return {name: names.setdefault(id(tensor), name) for name, tensor in tensors.items()}


def _of_ties(first: dict[str, str], other: dict[str, str]) -> Iterator[str]:
    for name, head in first.items():
        if head != other[name]:
            yield f"{short(name)} is {_tied(name, head)} in the first and {_tied(name, other[name])} in the second"


def _tied(name: str, head: str) -> str:
    return "a tensor of its own" if name == head else f"tied to {short(head)}"


def _of_settings(first: Layers, other: Layers, likeness: Likeness) -> Iterator[str]:
    read: dict[type, frozenset[str]] = {}
    for path, module in first.items():
        kind = type(module)
        if kind not in read:
            read[kind] = names_read(kind)
        one, two = vars(module), vars(other[path])
        for name in sorted(read[kind] & (one.keys() | two.keys()), key=_private_last):
            values = one.get(name, ABSENT), two.get(name, ABSENT)
            if not (matters_not(kind, name) or likeness.alike(*values)):
                yield f"{layer(path)}: {_settings(name, *values)}"


def _private_last(name: str) -> tuple[bool, str]:
    return name.startswith("_"), name


def matters_not(kind: type, name: str) -> bool:
    """Whether an attribute of that name may differ: it belongs to training, or to a layer that acts only then."""
    drops = issubclass(kind, _DropoutNd) or "drop" in kind.__name__.lower() or kind.__name__ == "StochasticDepth"
    return drops or name in MATTERS_NOT or "drop" in name.lower()


def _settings(name: str, one: Any, other: Any) -> str:
    said = [_said(one), _said(other)]
    if said[0] == said[1]:
        return f"{short(name)} is not the same in the first and in the second"
    return f"{short(name)} is {said[0]} in the first and {said[1]} in the second"


def _said(value: Any) -> str:
    if value is ABSENT:
        return "absent"
    if callable(value):
        return short(getattr(value, "__name__", type(value).__name__))
    return "a tensor" if isinstance(value, Tensor) else short(repr(value), 40)
