"""The activations of two networks on the same inputs, and how similar their units are."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from softmerge_core.alignment.symmetry.layer_rules import LAYERS
from softmerge_core.alignment.symmetry.parts import Place
from softmerge_core.alignment.symmetry.tracing import operation
from softmerge_core.errors import DataError
from softmerge_core.evaluation import evaluation_mode

BATCH = 256
SAMPLES = 2048  # the most inputs that are used
STILL = 1e-5  # a unit whose SD is a smaller share of its root mean square never changes: these are rounding errors


class _Capture(TorchFunctionMode):
    """Keeps the inputs of layers at ``places``, as [samples, units] each."""

    def __init__(self, places: Sequence[Place]) -> None:
        super().__init__()
        self.wanted: dict[int, list[tuple[int, Place]]] = {}
        for number, place in enumerate(places):
            self.wanted.setdefault(place.call, []).append((number, place))
        self.calls = 0
        self.found: dict[int, Tensor] = {}

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if operation(func) in LAYERS:
            source = args[0] if args else (kwargs or {})["input"]
            for number, place in self.wanted.get(self.calls, ()):
                self.found[number] = unit_values(source, place)
            self.calls += 1
        return func(*args, **(kwargs or {}))


def unit_values(tensor: Tensor, place: Place) -> Tensor:
    """Return the values of each unit as columns [samples, size]; other axes and repeats of a unit count as samples."""
    length = place.outer * place.size * place.inner
    part = tensor.detach().narrow(place.axis, place.start, length).movedim(place.axis, -1)
    blocks = part.reshape(-1, place.outer, place.size, place.inner)
    return blocks.movedim(2, -1).reshape(-1, place.size)


def watch(network: nn.Module, inputs: Tensor, mode: TorchFunctionMode) -> None:
    """Run the network once in evaluation mode under ``mode``, and restore its own mode."""
    with evaluation_mode(network), torch.no_grad(), mode:
        network(inputs)


def capture(network: nn.Module, inputs: Tensor, places: Sequence[Place]) -> list[Tensor]:
    """Return the activations at ``places``, [samples, size] in float64 each."""
    mode = _Capture(places)
    watch(network, inputs, mode)
    return [mode.found[number].double() for number in range(len(places))]


class Moments:
    """The first and second moments of two networks' units at one place, over all batches."""

    def __init__(self) -> None:
        self.count = 0
        self.sums: list[Tensor] = []

    def add(self, first: Tensor, second: Tensor) -> None:
        """Add activations [samples, m] and [samples, n] of the same samples."""
        new = [first.sum(0), second.sum(0), (first**2).sum(0), (second**2).sum(0), first.T @ second]
        self.sums = [a + b for a, b in zip(self.sums, new, strict=True)] if self.sums else new
        self.count += len(first)

    def correlation(self) -> Tensor:
        """Return Pearson's correlations [m, n]; they are 0 for a unit that never changes."""
        a, b, aa, bb, ab = (total / self.count for total in self.sums)
        scale = _inverse_spread(a, aa)[:, None] * _inverse_spread(b, bb)[None]
        return (ab - a[:, None] * b[None]) * scale

    def distance(self) -> Tensor:
        """Return the mean squared differences [m, n]."""
        _, _, aa, bb, ab = (total / self.count for total in self.sums)
        return (aa[:, None] + bb[None] - 2 * ab).clamp(min=0)


def _inverse_spread(mean: Tensor, square: Tensor) -> Tensor:
    """Return 1 / SD of each unit from its mean and mean square; 0 for a unit that never changes."""
    variance = square - mean**2
    return torch.where(variance > STILL**2 * square, variance.clamp(min=1e-300).rsqrt(), torch.zeros_like(variance))


def compare(
    first: nn.Module,
    first_places: Sequence[Place],
    second: nn.Module,
    second_places: Sequence[Place],
    inputs: Tensor,
) -> list[Moments]:
    """Return the moments at each pair of places over ``inputs`` [N, ...]; raises DataError if there are none."""
    if len(inputs) == 0:
        raise DataError("no inputs: matching by activations needs at least one")
    moments = [Moments() for _ in first_places]
    for batch in inputs[:SAMPLES].split(BATCH):
        pairs = zip(capture(first, batch, first_places), capture(second, batch, second_places), strict=True)
        for moment, (one, other) in zip(moments, pairs, strict=True):
            moment.add(one, other)
    return moments


def by_group(places: Sequence[Place], values: Sequence[Tensor]) -> Mapping[str, Tensor]:
    """Return the values of each group, summed over its places."""
    result: dict[str, Tensor] = {}
    for place, value in zip(places, values, strict=True):
        result[place.group] = result[place.group] + value if place.group in result else value
    return result
