"""REPAIR (Jordan, Sedghi, Saukh, Entezari, Neyshabur 2022, arXiv 2211.08403): corrects the statistics of an average.

Averaging aligned networks shrinks the variance of their activations, layer after layer. REPAIR sets each channel's
mean and standard deviation back to the average of the endpoints' values. The correction is folded into the weights,
so the architecture stays the same.
"""

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from softmerge_core.alignment.activations import SAMPLES, watch
from softmerge_core.alignment.aligning import check_inputs
from softmerge_core.alignment.symmetry.layer_rules import CONVOLUTIONS
from softmerge_core.alignment.symmetry.tracing import operation
from softmerge_core.checks import check_architecture
from softmerge_core.errors import SettingsError
from softmerge_core.evaluation import has_batchnorm, reestimate_batchnorm

LAYERS = frozenset(["linear", *CONVOLUTIONS])
SMALLEST = 1e-8  # standard deviations below this are not used


def repair(
    network: nn.Module,
    endpoints: Sequence[nn.Module],
    inputs: Tensor,
    shares: Sequence[float] | None = None,
) -> nn.Module:
    """Return a copy of ``network``, an average of aligned ``endpoints``, whose layers have the endpoints' statistics.

    For every linear and convolutional layer, the mean and standard deviation of each output channel over ``inputs``
    [N, ...] (the first 2048) become the average of the endpoints', weighted by ``shares`` (equal by default). A layer
    without a bias keeps its mean. In a network with BatchNorm, the running statistics are estimated again instead.
    No argument is modified. Raises SourceError, DataError or SettingsError.
    """
    names = ["merged network", *(f"endpoint {number + 1}" for number in range(len(endpoints)))]
    check_architecture([network, *endpoints], names)
    for each, name in zip([network, *endpoints], names, strict=True):
        check_inputs(each, name, inputs, "repair")
    weights = _shares(shares, len(endpoints))
    result = copy.deepcopy(network)
    seen = inputs[:SAMPLES]
    if has_batchnorm(network):
        reestimate_batchnorm(result, seen)
        return result
    measured = [_run(_Statistics(), endpoint, seen).found for endpoint in endpoints]
    goals = []
    for layers in zip(*measured, strict=True):
        mean = sum(share * layer[0] for share, layer in zip(weights, layers, strict=True))
        spread = sum(share * layer[1] for share, layer in zip(weights, layers, strict=True))
        goals.append((mean, spread))
    _run(_Correction(goals), result, seen)
    return result


def _shares(shares: Sequence[float] | None, count: int) -> list[float]:
    result = [1 / count] * count if shares is None else [float(share) for share in shares]
    if len(result) != count or abs(sum(result) - 1) > 1e-6:
        raise SettingsError(f"shares: expected {count} numbers that sum to 1, got {result}")
    return result


def statistics(outputs: Tensor, channel_axis: int) -> tuple[Tensor, Tensor]:
    """Return the mean and the standard deviation [channels] over all other axes, in float64."""
    values = outputs.detach().double().movedim(channel_axis, 0).flatten(1)
    return values.mean(1), values.std(1, correction=0)


class _Statistics(TorchFunctionMode):
    """Collects each layer's output statistics, in the order of the calls."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        name = operation(func)
        if name in LAYERS:
            output = self.layer(output, args, -1 if name == "linear" else 1, int("transpose" in name))
        return output

    def layer(self, output: Tensor, args: tuple[Any, ...], axis: int, weight_axis: int) -> Tensor:
        self.found.append(statistics(output, axis))
        return output


class _Correction(_Statistics):
    """Folds the correction into weight and bias during the pass, so that later layers see corrected inputs."""

    def __init__(self, goals: Sequence[Any]) -> None:
        super().__init__()
        self.goals, self.done = iter(goals), set[int]()

    def layer(self, output: Tensor, args: tuple[Any, ...], axis: int, weight_axis: int) -> Tensor:
        mean, spread = next(self.goals)
        weight, bias = args[1], args[2] if len(args) > 2 else None
        # A weight that is used twice, or that is computed from others, is left as it is.
        if id(weight) in self.done or not isinstance(weight, nn.Parameter):
            return output
        self.done.add(id(weight))
        own_mean, own_spread = statistics(output, axis)
        scale = torch.where(own_spread > SMALLEST, spread / own_spread.clamp(min=SMALLEST), torch.ones_like(spread))
        shape = [1] * output.dim()
        shape[axis] = -1
        if bias is None:
            _scale(weight, scale, weight_axis)
            return output * scale.to(output).view(shape)
        shift = mean - own_mean * scale
        _scale(weight, scale, weight_axis)
        bias.copy_((bias.double() * scale + shift).to(bias))
        shifted: Tensor = output * scale.to(output).view(shape) + shift.to(output).view(shape)
        return shifted


def _scale(weight: Tensor, scale: Tensor, axis: int) -> None:
    """Scale a weight along its output axis, which is the second one for a transposed convolution."""
    shape = [1] * weight.dim()
    shape[axis] = -1
    weight.copy_((weight.double() * scale.view(shape)).to(weight))


def _run(mode: _Statistics, network: nn.Module, inputs: Tensor) -> _Statistics:
    watch(network, inputs, mode)
    return mode
