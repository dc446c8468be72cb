"""A trace of one forward pass: the groups of units along the axes of every tensor, followed through every operation.

The pass runs on PyTorch's meta device, where tensors have shapes but no values, or on zeros if that fails.
"""

import copy
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from softmerge_core.alignment.symmetry.labels import UNIFORM, Label, fresh, pin_all, resolve

Labels = list[Label]
Grouping = Literal[
    "fixed", "whole", "inside"
]  # what moves in a grouped convolution: nothing, groups, or what they hold


@dataclass(frozen=True)
class Call:
    """One operation: its name, its arguments and its result."""

    name: str
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Any

    def get(self, index: int, name: str, default: Any = None) -> Any:
        """Return an argument by position or by name."""
        return self.args[index] if index < len(self.args) else self.kwargs.get(name, default)


@dataclass(frozen=True)
class Site:
    """A tensor that a layer reads: the input of layer call number ``call``, whose ``axis`` has ``label``."""

    call: int
    axis: int
    label: Label


# The labels of the one result, or of each result; empty if the operation turns out not to be understood.
Outcome = Sequence[Label] | Sequence[Labels]
Rule = Callable[["Trace", Call], Outcome]


class Trace(TorchFunctionMode):
    """The labels of all tensors of one forward pass, by the id of each tensor."""

    def __init__(
        self, network: nn.Module, rules: dict[str, Rule], layers: frozenset[str], grouping: Grouping = "fixed"
    ) -> None:
        super().__init__()
        self.rules, self.layers, self.grouping = rules, layers, grouping
        self.own = {id(t) for t in [*network.parameters(), *network.buffers()]}
        self.constants = {id(t) for m in network.modules() for t in vars(m).values() if isinstance(t, Tensor)}
        self.labels: dict[int, Labels] = {}
        self.kept: list[Tensor] = []  # keeps tensors alive, so that no id is used twice
        self.zeros: set[int] = set()
        self.mixed: dict[int, Labels] = {}  # tensors that hold several groups, which are pinned when one is read
        self.reads: set[tuple[int, int]] = set()  # axes of parameters that meet an input, not an output
        self.inside: dict[int, Labels] = {}  # weights of grouped convolutions: the inputs of each group
        self.has_groups = False
        self.sites: list[Site] = []
        self.calls = 0
        self.opaque = False

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        """Do the operation, and follow the labels through it."""
        output = func(*args, **(kwargs or {}))
        self._follow(Call(operation(func), args, kwargs or {}, output))
        return output

    def _follow(self, call: Call) -> None:
        given = list(tensors((call.args, call.kwargs)))
        results = list(tensors(call.output))
        if not results:
            if call.name not in SHAPES:
                self.pin(given)
            return
        if call.name in FACTORIES and not given:
            for result in results:
                self.set(result, plain(result))
            self.zeros |= {id(result) for result in results if call.name == "zeros"}
            return
        self._apply_rule(call, given, results)
        if any(result is tensor for result in results for tensor in given):
            self.zeros.clear()  # it was changed in place
        self.calls += call.name in self.layers

    def _apply_rule(self, call: Call, given: list[Tensor], results: list[Tensor]) -> None:
        rule = self.rules.get(call.name)
        outcome = list(rule(self, call)) if rule and "out" not in call.kwargs else []
        several = bool(outcome) and isinstance(outcome[0], list)
        labels: list[Any] = outcome if several else [outcome]
        fits = len(labels) == len(results)
        if not fits or any(len(own) != result.dim() for own, result in zip(labels, results, strict=True)):
            self.pin(given)
            labels = [plain(result) for result in results]
        for result, own in zip(results, labels, strict=True):
            self.set(result, own)

    def set(self, tensor: Tensor, labels: Labels) -> None:
        """Remember a tensor's labels; an axis of length 1 matches any other."""
        self.kept.append(tensor)
        self.labels[id(tensor)] = [
            UNIFORM if size == 1 else label for label, size in zip(labels, tensor.shape, strict=True)
        ]

    def of(self, tensor: Tensor) -> Labels:
        """Return a tensor's labels; those of a parameter begin as groups of their own."""
        if id(tensor) not in self.labels:
            if id(tensor) in self.own:
                self.set(tensor, [fresh(size) for size in tensor.shape])
            else:
                # No traced operation made this tensor, so it may depend on anything.
                self.opaque |= id(tensor) not in self.constants
                self.set(tensor, plain(tensor))
        pin_all(self.mixed.get(id(tensor), ()))
        return [resolve(label) for label in self.labels[id(tensor)]]

    def pin(self, given: Iterable[Tensor]) -> None:
        """Keep everything along all axes of these tensors where it is."""
        for tensor in given:
            pin_all(self.of(tensor))

    def read(self, tensor: Tensor, axis: int, label: Label) -> None:
        """Note that a layer reads ``tensor`` along ``axis``, so that activations can be seen there."""
        known = resolve(label)
        if known:
            self.sites.append(Site(self.calls, axis % tensor.dim(), known))


# Operations whose results are not tensors and do not depend on values.
SHAPES = frozenset(
    {
        "__get__",
        "shape",
        "size",
        "dim",
        "ndimension",
        "numel",
        "stride",
        "dtype",
        "device",
        "__len__",
        "is_floating_point",
        "is_complex",
        "element_size",
        "is_contiguous",
        "get_device",
        "type",
        "is_nested",
        "requires_grad",
        "is_same_size",
        "storage_offset",
        "_assert",
        "ndim",
        "has_names",
        "is_cuda",
        "is_meta",
        "is_sparse",
        "is_quantized",
        "layout",
        "names",
        "grad_fn",
        "data_ptr",
        "__set__",
        "requires_grad_",
        "_is_view",
        "is_leaf",
        "itemsize",
        "nbytes",
        "is_inference",
        "is_mkldnn",
        "is_cpu",
    }
)
FACTORIES = frozenset(
    {
        "zeros",
        "ones",
        "empty",
        "full",
        "arange",
        "tensor",
        "eye",
        "linspace",
        "randn",
        "rand",
        "randperm",
        "scalar_tensor",
        "as_tensor",
    }
)


def operation(func: Any) -> str:
    """Return the name of a torch function: "add" for torch.add, __iadd__ and __radd__, "add_" for Tensor.add_."""
    name = getattr(func, "__name__", "")
    if name == "__get__":
        return str(func.__self__.__name__)
    if name.startswith("__"):
        return ARITHMETIC.get(name.strip("_"), name)
    return name


ARITHMETIC = {
    prefix + op: {"truediv": "div"}.get(op, op)
    for op in ("add", "sub", "mul", "truediv", "pow", "neg", "abs", "eq", "ne", "lt", "le", "gt", "ge")
    for prefix in ("", "i", "r")
} | {"matmul": "matmul"}  # its reflected and in-place forms mean something else


def tensors(value: Any) -> Iterable[Tensor]:
    """Yield every tensor in nested tuples, lists and dicts."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, (tuple, list)):
        for item in value:
            yield from tensors(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from tensors(item)


def plain(tensor: Tensor) -> Labels:
    """Return labels for a tensor none of whose axes may move."""
    return [UNIFORM if size == 1 else None for size in tensor.shape]


def without_values(network: nn.Module) -> nn.Module:
    """Return a copy whose parameters and buffers are on the meta device, with shapes but no values."""
    memo: dict[int, Any] = {}
    for parameter in network.parameters():
        memo[id(parameter)] = nn.Parameter(torch.empty_like(parameter, device="meta"), requires_grad=False)
    for buffer in network.buffers():
        memo[id(buffer)] = torch.empty_like(buffer, device="meta")
    return copy.deepcopy(network, memo).eval()
