"""The units of a network that can be permuted without changing its function, found by following one forward pass.

A group is a set of units (channels, hidden units, attention heads) together with every axis of every parameter and
buffer along which they lie. The network's inputs and outputs are in no group. Neither are units behind an operation
that is not understood: they stay where they are.

In attention, whole heads and the residual stream are permuted; the inside of a head is left as it is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

from softmerge_core.alignment.symmetry import layer_rules, shape_rules
from softmerge_core.alignment.symmetry.labels import Label, Units, pin_all, resolve
from softmerge_core.alignment.symmetry.probe import FAILURES, example
from softmerge_core.alignment.symmetry.tracing import Site, Trace, plain, tensors, without_values
from softmerge_core.evaluation import evaluation_mode

RULES = {**shape_rules.RULES, **layer_rules.RULES}


@dataclass(frozen=True)
class Axis:
    """The positions of a group on axis ``dim`` of tensor ``name``, in the order [outer, size, inner] from ``start`` on.

    ``size`` is the number of units; ``outer`` is how often all units are repeated (4 for an LSTM's gates); ``inner``
    is the number of positions that a unit takes (the pixels of a flattened channel). ``reads`` is true if the axis
    meets the layer's input.
    """

    name: str
    dim: int
    start: int
    outer: int
    size: int
    inner: int
    reads: bool

    @property
    def length(self) -> int:
        """The number of positions from ``start`` on."""
        return self.outer * self.size * self.inner


@dataclass(frozen=True)
class Group:
    """The ``size`` units that are permuted together along ``axes``; named after the first tensor that computes them."""

    name: str
    size: int
    axes: tuple[Axis, ...]


@dataclass(frozen=True)
class Place:
    """A place where a group's activations can be seen: the input of layer call number ``call``, along ``axis``."""

    group: str
    call: int
    axis: int
    start: int
    outer: int
    size: int
    inner: int


@dataclass(frozen=True)
class Symmetry:
    """All groups of a network, in the order of its parameters, and the places where their activations can be seen."""

    groups: tuple[Group, ...]
    places: tuple[Place, ...]


def permutation_groups(network: nn.Module, inputs: Tensor | None = None) -> tuple[Group, ...]:
    """Return the groups of ``network``, which is not changed; ``inputs`` [N, ...] save the search for a shape it reads.

    Raises SourceError if no inputs are given and their shape cannot be inferred from the first layer.
    """
    return symmetry(network, inputs).groups


@torch.no_grad()
def symmetry(network: nn.Module, inputs: Tensor | None = None) -> Symmetry:
    """Return the groups of ``network`` and the places where their activations can be seen."""
    sample = example(network, inputs)
    try:
        bare = without_values(network)
        found = _read_off(bare, _trace(bare, sample))
    except FAILURES:  # some operation needs values
        device = next(iter(network.parameters())).device
        trace = _trace(network, torch.zeros(sample.shape, dtype=sample.dtype, device=device))
        found = _read_off(network, trace)
    return _confirmed(network, found, sample)


def _confirmed(network: nn.Module, found: Symmetry, sample: Tensor) -> Symmetry:
    """Keep only groups whose reversal, tried on numbers, leaves the network's outputs unchanged."""
    if not found.groups or unchanged(network, found.groups, sample):
        return found
    kept = tuple(group for group in found.groups if unchanged(network, (group,), sample))
    places = tuple(place for place in found.places if place.group in {group.name for group in kept})
    return Symmetry(kept, places)


def _trace(network: nn.Module, sample: Tensor) -> Trace:
    trace = Trace(network, RULES, layer_rules.LAYERS)
    trace.set(sample, plain(sample))
    with evaluation_mode(network), trace:
        output = network(sample)
    for result in tensors(output if isinstance(output, (Tensor, tuple, list, dict)) else vars(output)):
        pin_all(trace.of(result))
    return trace


def _read_off(network: nn.Module, trace: Trace) -> Symmetry:
    if trace.opaque:
        return Symmetry((), ())
    axes: dict[Units, list[Axis]] = {}
    for name, tensor in named_tensors(network):
        for dim, label in enumerate(trace.labels.get(id(tensor), ())):
            reads = (id(tensor), dim) in trace.reads
            for units, (start, outer, size, inner) in _runs(label):
                axes.setdefault(units, []).append(Axis(name, dim, start, outer, size, inner, reads))
    groups = {units: Group(_name(own), units.size, tuple(own)) for units, own in axes.items()}
    return Symmetry(tuple(groups.values()), tuple(_places(groups, trace.sites)))


def _name(axes: list[Axis]) -> str:
    made = next((axis for axis in axes if not axis.reads), axes[0])
    return f"{made.name}:{made.dim}" if made.start == 0 else f"{made.name}:{made.dim}:{made.start}"


def _runs(label: Label) -> Iterator[tuple[Units, tuple[int, int, int, int]]]:
    start = 0
    for segment in resolve(label) or ():
        if segment.units is not None:
            yield segment.units, (start, segment.outer, segment.size, segment.inner)
        start += segment.length


def _places(groups: dict[Units, Group], sites: Iterable[Site]) -> Iterator[Place]:
    seen = set()
    for site in sites:
        for units, run in _runs(site.label):
            place = Place(groups[units].name, site.call, site.axis, *run) if units in groups else None
            if place and place not in seen:
                seen.add(place)
                yield place


def named_tensors(network: nn.Module) -> list[tuple[str, Tensor]]:
    """Return parameters, then buffers, each once."""
    return [*network.named_parameters(), *network.named_buffers()]


@torch.no_grad()
def unchanged(network: nn.Module, groups: tuple[Group, ...], sample: Tensor) -> bool:
    """Tell whether reversing the units of ``groups`` leaves the outputs unchanged, for random inputs like ``sample``.

    This is a check and no proof: it detects only what shows in the outputs of these weights.
    """
    state = dict(named_tensors(network))
    device = next(iter(state.values())).device
    inputs = torch.zeros(sample.shape, dtype=sample.dtype, device=device)
    if inputs.is_floating_point():
        generator = torch.Generator().manual_seed(0)
        inputs = torch.randn(sample.shape, generator=generator, dtype=torch.float64).to(inputs)
    reversed_state = dict(state)
    for axis in (axis for group in groups for axis in group.axes):
        tensor = reversed_state[axis.name]
        run = tensor.narrow(axis.dim, axis.start, axis.length)
        blocks = run.unflatten(axis.dim, (axis.outer, axis.size, axis.inner))
        swapped = tensor.clone()
        swapped.narrow(axis.dim, axis.start, axis.length).copy_(
            blocks.flip(axis.dim + 1).flatten(axis.dim, axis.dim + 2)
        )
        reversed_state[axis.name] = swapped
    with evaluation_mode(network):
        both = [list(tensors(functional_call(network, s, (inputs,)))) for s in (state, reversed_state)]
    return all(_close(one, other) for one, other in zip(*both, strict=True))


def _close(expected: Tensor, got: Tensor) -> bool:
    if not torch.isfinite(expected).all():
        return True  # weights that are not finite cannot be compared
    return bool((expected - got).abs().max() <= 1e-3 * expected.abs().max() + 1e-12)
