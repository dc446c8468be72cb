"""Rules for operations without parameters: their effect on the labels of axes."""

import torch
from torch import Tensor

from softmerge_core.alignment.symmetry.labels import (
    UNIFORM,
    Label,
    joined,
    pin,
    pin_all,
    reshaped,
    unify,
)
from softmerge_core.alignment.symmetry.tracing import Call, Labels, Outcome, Rule, Trace, plain, tensors

ELEMENTWISE = [
    "relu",
    "relu6",
    "gelu",
    "silu",
    "mish",
    "elu",
    "selu",
    "celu",
    "leaky_relu",
    "hardtanh",
    "hardswish",
    "hardsigmoid",
    "sigmoid",
    "tanh",
    "softplus",
    "softsign",
    "logsigmoid",
    "dropout",
    "dropout1d",
    "dropout2d",
    "dropout3d",
    "alpha_dropout",
    "feature_dropout",
    "feature_alpha_dropout",
    "exp",
    "log",
    "log1p",
    "expm1",
    "abs",
    "neg",
    "sqrt",
    "rsqrt",
    "square",
    "pow",
    "sin",
    "cos",
    "erf",
    "clamp",
    "clip",
    "reciprocal",
    "sign",
    "add",
    "sub",
    "mul",
    "div",
    "true_divide",
    "maximum",
    "minimum",
    "where",
    "masked_fill",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "contiguous",
    "clone",
    "detach",
    "to",
    "float",
    "double",
    "half",
    "type",
    "type_as",
    "cpu",
    "zeros_like",
    "ones_like",
    "empty_like",
    "stochastic_depth",
    "requires_grad",
    "data",
    "identity",
    "threshold",
    "hardshrink",
    "softshrink",
    "tanhshrink",
    "rsub",
    "lerp",
    "addcmul",
    "nan_to_num",
]


def elementwise(trace: Trace, call: Call) -> Labels:
    """All tensors are broadcast together, so axes that meet are unified."""
    output: Tensor = call.output
    result: Labels = [UNIFORM] * output.dim()
    for tensor in tensors((call.args, call.kwargs)):
        labels = trace.of(tensor)
        for back in range(1, len(labels) + 1):
            if back > output.dim():
                pin(labels[-back])
            else:
                result[-back] = unify(result[-back], labels[-back])
    return result


def softmax(trace: Trace, call: Call) -> Labels:
    """Permuted inputs give permuted outputs, along any axis."""
    return trace.of(call.get(0, "input"))


def reshape(trace: Trace, call: Call) -> Labels:
    """Axes are split and joined."""
    source = call.get(0, "input")
    return reshaped(trace.of(source), tuple(source.shape), tuple(call.output.shape))


def reorder(trace: Trace, call: Call) -> Labels:
    """Axes are put in another order, which is read off a stand-in whose axes all have different sizes."""
    source = call.get(0, "input")
    stand_in = torch.empty(tuple(range(2, 2 + source.dim())), device="meta")
    method = {"swapaxes": "transpose", "swapdims": "transpose", "moveaxis": "movedim"}.get(call.name, call.name)
    rest = call.args[1:] if call.args else ()
    kwargs = {key: value for key, value in call.kwargs.items() if key != "input"}
    moved = getattr(stand_in, method)
    shape = (moved if isinstance(moved, Tensor) else moved(*rest, **kwargs)).shape
    labels = trace.of(source)
    return [labels[size - 2] for size in shape]


def spatial(trace: Trace, call: Call) -> Outcome:
    """Pooling, resizing and padding keep channels and mix positions, so axes that change must not be permuted."""
    source = call.get(0, "input")
    labels = trace.of(source)
    if call.name == "pad":
        kept = source.dim() - len(call.get(1, "pad")) // 2
    else:
        sizes = {"1": 1, "2": 2, "3": 3}.get(next((c for c in call.name if c.isdigit()), ""), source.dim() - 2)
        kept = source.dim() - sizes
    pin_all(labels[kept:])
    own: Labels = labels[:kept] + [None] * (source.dim() - kept)
    first = next(iter(tensors(call.output)))
    return own if first is call.output else [own for _ in tensors(call.output)]


def reduce(trace: Trace, call: Call) -> Labels:
    """A sum, mean, maximum and the like over axes does not depend on their order."""
    source = call.get(0, "input")
    labels = trace.of(source)
    dims = call.get(1, "dim", call.kwargs.get("axis"))
    if not isinstance(dims, (int, tuple, list)) or isinstance(dims, bool):
        return []
    gone = {d % source.dim() for d in ((dims,) if isinstance(dims, int) else dims)}
    if call.output.dim() == source.dim():
        return [UNIFORM if axis in gone else label for axis, label in enumerate(labels)]
    return [label for axis, label in enumerate(labels) if axis not in gone]


def take(trace: Trace, call: Call) -> Labels:
    """Indexing by numbers, slices, None and Ellipsis; an axis of which only a part is taken must keep its order."""
    source, index = call.args
    items = list(index) if isinstance(index, tuple) else [index]
    if any(not (item is None or item is Ellipsis or isinstance(item, (int, slice))) for item in items):
        return []
    if any(isinstance(item, bool) for item in items):
        return []
    used = sum(item is not None and item is not Ellipsis for item in items)
    filler = [slice(None)] * (source.dim() - used)
    at = items.index(Ellipsis) if Ellipsis in items else len(items)
    items[at : at + 1] = filler
    labels, result = iter(trace.of(source)), []
    for item in items:
        if item is None:
            result.append(UNIFORM)
            continue
        label = next(labels)
        if item != slice(None):
            pin(label)
            label = None
        if not isinstance(item, int):
            result.append(label)
    return result


def split(trace: Trace, call: Call) -> list[Labels]:
    """Parts of a tensor along one axis, which must keep its order; unbind and select drop that axis."""
    source = call.get(0, "input")
    position = 1 if call.name in ("unbind", "select", "narrow", "index_select") else 2
    axis = call.get(position, "dim", 0) % source.dim()
    labels = trace.of(source)
    pin(labels[axis])
    labels[axis] = None
    parts = list(tensors(call.output))
    if parts[0].dim() < source.dim():
        labels.pop(axis)
    return [list(labels) for _ in parts]


def concatenate(trace: Trace, call: Call) -> Labels:
    """Tensors are laid end to end along one axis; all their other axes are unified."""
    parts = list(tensors(call.get(0, "tensors")))
    axis = call.get(1, "dim", 0) % parts[0].dim()
    result = trace.of(parts[0])
    for part in parts[1:]:
        result = _others(result, trace.of(part), axis)
    result[axis] = joined([trace.of(part)[axis] for part in parts], [part.shape[axis] for part in parts])
    return result


def _others(first: Labels, second: Labels, axis: int) -> Labels:
    return [a if n == axis else unify(a, b) for n, (a, b) in enumerate(zip(first, second, strict=True))]


def expand(trace: Trace, call: Call) -> Labels:
    """New axes in front, and axes of length 1 that are repeated; repeated axes must not be permuted."""
    source = call.get(0, "input")
    labels = trace.of(source)
    front = call.output.dim() - source.dim()
    drawn: Labels = [None if size == 1 else label for label, size in zip(labels, source.shape, strict=True)]
    return [None] * front + drawn


def matmul(trace: Trace, call: Call) -> Labels:
    """Products of matrices: the axes that are summed over are unified."""
    first, second = call.get(0, "input"), call.get(1, "other", call.kwargs.get("mat2"))
    if first.dim() < 2 or second.dim() < 2:
        return []
    one, two = trace.of(first), trace.of(second)
    trace.read(first, -1, unify(one[-1], two[-2]))
    batch: list[Label] = [UNIFORM] * (call.output.dim() - 2)
    for labels in (one[:-2], two[:-2]):
        for back in range(1, len(labels) + 1):
            batch[-back] = unify(batch[-back], labels[-back])
    return [*batch, one[-2], two[-1]]


def constant(trace: Trace, call: Call) -> Labels:
    """A new tensor that takes its shape or type from another."""
    return plain(call.output)


REORDER = ("transpose", "permute", "movedim", "moveaxis", "swapaxes", "swapdims", "t", "T", "mT")
POOLS = [f"{kind}_pool{n}d" for kind in ("avg", "max", "adaptive_avg", "adaptive_max", "lp") for n in (1, 2, 3)]
RULES: dict[str, Rule] = {
    **dict.fromkeys(ELEMENTWISE, elementwise),
    **dict.fromkeys([f"{name}_" for name in ELEMENTWISE], elementwise),  # in place
    **dict.fromkeys(("softmax", "log_softmax"), softmax),
    **dict.fromkeys(("reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze"), reshape),
    **dict.fromkeys(REORDER, reorder),
    **dict.fromkeys((*POOLS, "interpolate", "pad"), spatial),
    **dict.fromkeys(("mean", "sum", "amax", "amin", "var", "std", "logsumexp"), reduce),
    **dict.fromkeys(("chunk", "split", "unbind", "select", "narrow", "tensor_split"), split),
    **dict.fromkeys(("cat", "concat", "concatenate"), concatenate),
    **dict.fromkeys(("expand", "expand_as"), expand),
    **dict.fromkeys(("matmul", "bmm"), matmul),
    **dict.fromkeys(("new_zeros", "new_ones", "new_empty", "new_full", "new_tensor"), constant),
    "__getitem__": take,
}
