"""Which networks can be taken apart: plain modules whose weights are dense floating-point numbers."""

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils import parametrize, prune
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from softmerge_core.errors import SourceError, short

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
WRAPPERS = {  # torch's classes that hold a network, and the attribute they hold it in
    "OptimizedModule": "_orig_mod",  # of torch.compile
    "DataParallel": "module",
    "DistributedDataParallel": "module",
}
OWN = ("_parameters", "_buffers", "_modules")  # where a module registers what is told by name
HOLDERS = (Tensor, dict, list, tuple)


def check_network(network: object, name: str) -> None:
    """Raise SourceError, naming the layer and the way out, unless ``network`` is a module whose weights can be merged.

    Refused are wrapped, scripted and quantized modules, weights that are computed anew at each pass (pruned, under
    weight or spectral norm, parametrized), and tensors without values or of another kind than dense and
    floating-point (integer and complex buffers are let through). No weight is looked at or copied.
    """
    if not isinstance(network, nn.Module):
        raise SourceError(f"source {name!r}: expected a torch.nn.Module, got {type(network).__name__}")
    for path, module in network.named_modules():
        fault = next(_faults(module), "")
        if fault:
            raise SourceError(f"source {name!r}: {layer(path)} {fault}")
    _check_state(network, name)


def _check_state(network: nn.Module, name: str) -> None:
    try:
        state = network.state_dict()
    except Exception as error:  # as for a layer that holds the network it is in
        raise SourceError(f"source {name!r}: its state cannot be read: {short(error, 200)}") from error
    for key, value in state.items():
        if not isinstance(value, Tensor):
            kind = type(value).__name__
            raise SourceError(f"source {name!r}: expected tensors in its state, got {short(key)} of type {kind}")


def check_copyable(network: nn.Module, name: str) -> None:
    """Raise SourceError unless ``network`` can be copied, as every merge does; its weights are not copied here."""
    weights: dict[int, Any] = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    try:
        copy.deepcopy(network, weights)
    except Exception as error:  # the copying of attributes is anybody's code
        raise SourceError(f"source {name!r} cannot be copied: {short(error, 200)}") from error


def layer(path: str) -> str:
    """Return what a layer is called in a sentence."""
    return f"layer {short(path)}" if path else "the network"


def _faults(module: nn.Module) -> Iterator[str]:
    """What keeps the engine from merging a module, in the words that follow its name."""
    yield from _of_class(type(module), module)
    yield from _recomputed(module)
    for name, tensor in [*module.named_parameters(recurse=False), *module.named_buffers(recurse=False)]:
        fault = _of_tensor(tensor, isinstance(tensor, nn.Parameter))
        if fault:
            yield f"cannot be merged: {short(name)} {fault}"
    yield from _with_graph(module)


def _of_class(kind: type[nn.Module], module: nn.Module) -> Iterator[str]:
    for name in (base.__name__ for base in kind.__mro__ if base.__module__.startswith("torch.")):
        if name in WRAPPERS:
            yield f"is wrapped in {name}; expected the network in it, its attribute {WRAPPERS[name]!r}"
    if isinstance(module, torch.jit.ScriptModule):
        yield "is a ScriptModule (torch.jit); expected the torch.nn.Module that it was made from"
    if kind.__module__.startswith("torch.") and ".quantized" in kind.__module__:
        yield f"is a quantized {kind.__name__}; expected the network as it was before it was quantized"


def _recomputed(module: nn.Module) -> Iterator[str]:
    """Weights that are no parameters but computed from some before each pass."""
    if parametrize.is_parametrized(module):
        for name in module.parametrizations:  # type: ignore[union-attr]
            call = f"torch.nn.utils.parametrize.remove_parametrizations(layer, {name!r})"
            yield f"computes its {name} by a parametrization; make it permanent by {call}"
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, prune.BasePruningMethod):
            name = hook._tensor_name
            call = f"torch.nn.utils.prune.remove(layer, {name!r})"
            yield f"is pruned: its {name} is {name}_orig times {name}_mask; make it permanent by {call}"
        if isinstance(hook, WeightNorm | SpectralNorm):
            norm = "weight_norm" if isinstance(hook, WeightNorm) else "spectral_norm"
            call = f"torch.nn.utils.remove_{norm}(layer, {hook.name!r})"
            yield f"computes its {hook.name} by {norm}; make it permanent by {call}"


def _of_tensor(tensor: Tensor, is_parameter: bool) -> str:
    if is_lazy(tensor):
        return "has no shape yet; run the network once on some inputs"
    if tensor.is_meta:
        return "is on the meta device and has no values; load them first"
    if is_traceable_wrapper_subclass(tensor):
        return f"is a {type(tensor).__name__}; expected a plain tensor"
    if tensor.layout != torch.strided:
        return f"is of layout {tensor.layout}; expected a dense tensor, as to_dense() makes it"
    if tensor.dtype not in FLOATS and (is_parameter or tensor.is_floating_point() or tensor.is_quantized):
        return f"is of {tensor.dtype}; expected {', '.join(str(dtype).removeprefix('torch.') for dtype in FLOATS)}"
    return ""


def _with_graph(module: nn.Module) -> Iterator[str]:
    """Tensors that keep the graph of the pass that made them, which cannot be copied."""
    for name, value in [*vars(module).items(), *module.named_buffers(recurse=False)]:
        known = name in OWN or not isinstance(value, HOLDERS)
        if not known and any(isinstance(part, Tensor) and not part.is_leaf for part in _inside(value)):
            yield f"keeps a tensor that a pass made, and its graph, in {short(name)}; expected it detached, or None"


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else (value,)
