"""What a module's forward reads and does, as far as its code shows it, and whether two values compute alike."""

import dis
import functools
import inspect
import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

READ = ("LOAD_ATTR", "LOAD_METHOD", "LOAD_SUPER_ATTR")
PLAIN = (
    bool, int, float, complex, str, bytes, type(None), range, slice, set, frozenset, Enum, np.generic,
    torch.dtype, torch.layout, torch.memory_format,
)  # fmt: skip
ARRAYS = (Tensor, np.ndarray)


def names_read(kind: type[nn.Module]) -> frozenset[str]:
    """The names of the attributes that a class's forward, and the methods it calls, read and never set.

    Names that are given as text (``getattr(self, "scale")``) count; what the forward sets is a cache or a counter.
    """
    seen: set[str] = set()
    stored: set[str] = set()
    waiting = {"forward"}
    while waiting:
        name = waiting.pop()
        seen.add(name)
        for function in _functions(kind, name):
            read, written = _mentions(function.__code__)
            stored |= written
            waiting |= read - seen
    return frozenset(seen - stored)


@functools.lru_cache(1024)
def _mentions(code: CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a function may read from an object, and those that it sets."""
    steps = list(_instructions(code))
    texts = {value for operation, value in steps if operation == "LOAD_CONST" and isinstance(value, str)}
    read = {value for operation, value in steps if operation in READ}
    return frozenset(read | texts), frozenset(value for operation, value in steps if operation == "STORE_ATTR")


def ancestors(kind: type) -> list[type]:
    """The classes whose code makes up a module's own: itself and those above it but ``torch.nn.Module``."""
    return [owner for owner in kind.__mro__ if owner not in (nn.Module, object)]


def _functions(kind: type, name: str) -> Iterator[FunctionType]:
    for owner in ancestors(kind):
        found = _function(vars(owner).get(name))
        if isinstance(found, FunctionType):
            yield found


def _function(member: Any) -> Any:
    """The function in a method, a property or a decorated function; anything else as it is."""
    if isinstance(member, staticmethod | classmethod | MethodType):
        member = member.__func__
    elif isinstance(member, property):
        member = member.fget
    elif isinstance(member, functools.cached_property):
        member = member.func
    return inspect.unwrap(member) if isinstance(member, FunctionType) else member


def _instructions(code: CodeType) -> Iterator[tuple[str, Any]]:
    for instruction in dis.get_instructions(code):
        yield instruction.opname, instruction.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _instructions(constant)


class Likeness:
    """Compares what modules hold beside their weights; values of kinds unknown to it count as alike.

    Functions are alike that have the same code, defaults, closures and, in other files, the same helpers.
    """

    def __init__(self) -> None:
        self.seen: set[tuple[int, int]] = set()
        self.rules: tuple[tuple[tuple[type, ...], Callable[[Any, Any], bool]], ...] = (
            ((tuple, list), lambda one, other: len(one) == len(other) and all(map(self.alike, one, other))),
            ((dict,), lambda one, other: one.keys() == other.keys() and all(self.alike(one[k], other[k]) for k in one)),
            ((functools.partial,), lambda one, other: self.alike(_parts(one), _parts(other))),
            ((FunctionType,), self._functions),
            ((nn.Parameter,), lambda one, other: True),  # they are compared where they are registered
            (ARRAYS, _same_array),
        )

    def alike(self, one: Any, other: Any) -> bool:
        """Whether two values make a module compute the same, as far as can be told."""
        one, other = _function(one), _function(other)
        if one is other or (id(one), id(other)) in self.seen:
            return True
        for kinds, rule in self.rules:
            if isinstance(one, kinds) and isinstance(other, kinds):
                return rule(one, other)
        if isinstance(one, PLAIN) or isinstance(other, PLAIN):
            return _equal(one, other) or _one_for_all(one, other) or _one_for_all(other, one)
        return _name(one) == _name(other)

    def _functions(self, one: FunctionType, other: FunctionType) -> bool:
        self.seen.add((id(one), id(other)))
        first, second = ((f.__defaults__, f.__kwdefaults__, _closure(f)) for f in (one, other))
        return _same_code(one.__code__, other.__code__) and self.alike(first, second) and self._helpers(one, other)

    def _helpers(self, one: FunctionType, other: FunctionType) -> bool:
        """Whether the globals that both functions name are alike."""
        if one.__globals__ is other.__globals__:
            return True
        names = {argument for operation, argument in _instructions(one.__code__) if operation == "LOAD_GLOBAL"}
        return all(self.alike(one.__globals__.get(name), other.__globals__.get(name)) for name in names)


def _parts(call: "functools.partial[Any]") -> tuple[Any, ...]:
    return call.func, call.args, call.keywords


def _name(value: Any) -> str:
    """The name of a function or class; other objects have none."""
    return str(value.__qualname__) if isinstance(value, FunctionType | BuiltinFunctionType | type) else ""


def _closure(function: FunctionType) -> list[Any]:
    """What a function has taken from the functions around it."""
    found = []
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # nothing is in it yet
            found.append(None if name == "__class__" else cell.cell_contents)
    return found


def _same_code(one: CodeType, other: CodeType) -> bool:
    """Whether two functions do the same, whatever their names, variables' names, lines and docstrings."""
    first, second = _steps(one), _steps(other)
    return len(first) == len(second) and all(map(_same_step, first, second))


def _steps(code: CodeType) -> list[tuple[str, Any]]:
    local = (*dis.haslocal, *dis.hasfree)
    found = ((step, step.arg if step.opcode in local else step.argval) for step in dis.get_instructions(code))
    return [(step.opname, argument) for step, argument in found]


def _same_step(one: tuple[str, Any], other: tuple[str, Any]) -> bool:
    first, second = one[1], other[1]
    if isinstance(first, CodeType) and isinstance(second, CodeType):
        return one[0] == other[0] and _same_code(first, second)
    return one[0] == other[0] and repr(first) == repr(second)  # 1 and 1.0 are equal, and compute otherwise


def _equal(one: Any, other: Any) -> bool:
    if not (isinstance(one, PLAIN) and isinstance(other, PLAIN)):
        return False
    if isinstance(one, Enum) and isinstance(other, Enum):
        return one.name == other.name
    both_nan = isinstance(one, float) and isinstance(other, float) and math.isnan(one) and math.isnan(other)
    return both_nan or bool(one == other)


def _one_for_all(one: Any, many: Any) -> bool:
    """Whether one number stands for several that are all the same: a stride of 2 is one of (2, 2)."""
    several = isinstance(one, int | float) and isinstance(many, tuple | list)
    return several and bool(many) and all(_equal(one, item) for item in many)


def _same_array(one: Any, other: Any) -> bool:
    if isinstance(one, Tensor) != isinstance(other, Tensor) or one.shape != other.shape:
        return False
    if isinstance(one, Tensor):
        if one.is_meta or other.is_meta or one.layout != torch.strided or other.layout != torch.strided:
            return True  # without values, or not to be compared one by one
        one, other = one.detach(), other.detach().to(one.device)
    both_nan = (one != one) & (other != other)  # noqa: PLR0124
    return bool(((one == other) | both_nan).all())
