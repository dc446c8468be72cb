"""The units of a network that can be permuted without changing its function, found by following one forward pass.

A group is a set of units (channels, hidden units, attention heads) together with every axis of every parameter and
buffer along which they lie. The network's inputs and outputs are in no group. Neither are units behind an operation
that is not understood: they stay where they are.

In attention, whole heads and the residual stream are permuted; the inside of a head is left as it is. In a grouped
convolution, whole groups are permuted, and channels inside a group.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor, nn
from torch.func import functional_call

from softmerge_core.alignment.symmetry import layer_rules, shape_rules
from softmerge_core.alignment.symmetry.labels import Label, Units, pin_all, resolve
from softmerge_core.alignment.symmetry.nesting import nested
from softmerge_core.alignment.symmetry.parts import Axis, Group, Place, Symmetry
from softmerge_core.alignment.symmetry.probe import FAILURES, example
from softmerge_core.alignment.symmetry.tracing import Grouping, Site, Trace, plain, tensors, without_values
from softmerge_core.evaluation import evaluation_mode

RULES = {**shape_rules.RULES, **layer_rules.RULES}


def permutation_groups(network: nn.Module, inputs: Tensor | None = None) -> tuple[Group, ...]:
    """Return the groups of ``network``, which is not changed; ``inputs`` [N, ...] save the search for a shape it reads.

    Raises SourceError if no inputs are given and their shape cannot be inferred from the first layer.
    """
    return symmetry(network, inputs).groups


@torch.no_grad()
def symmetry(network: nn.Module, inputs: Tensor | None = None, *, grouped: bool = True) -> Symmetry:
    """Return the groups of ``network`` and the places where their activations can be seen.

    Without ``grouped``, the channels of grouped convolutions stay where they are, except for depthwise ones.
    """
    sample = example(network, inputs)
    found, has_groups = _look(network, sample, "inside" if grouped else "fixed")
    if has_groups and grouped:
        found = nested(_look(network, sample, "whole")[0], found)
    return _confirmed(network, found, sample)


def _look(network: nn.Module, sample: Tensor, grouping: Grouping) -> tuple[Symmetry, bool]:
    """Return what one trace finds, and if it met a grouped convolution."""
    try:
        bare = without_values(network)
        trace = _trace(bare, sample, grouping)
        return _read_off(bare, trace), trace.has_groups
    except FAILURES:  # some operation needs values
        device = next(iter(network.parameters())).device
        trace = _trace(network, torch.zeros(sample.shape, dtype=sample.dtype, device=device), grouping)
        return _read_off(network, trace), trace.has_groups


def _confirmed(network: nn.Module, found: Symmetry, sample: Tensor) -> Symmetry:
    """Keep only groups whose reversal, tried on numbers, leaves the network's outputs unchanged."""
    if not found.groups or unchanged(network, found.groups, sample):
        return found
    kept = tuple(group for group in found.groups if unchanged(network, (group,), sample))
    names = {group.name for group in kept}
    kept = tuple(group for group in kept if all(names.issuperset(inside.names) for inside in group.inside))
    names = {group.name for group in kept} | {inside.units.name for group in kept for inside in group.inside}
    return Symmetry(kept, tuple(place for place in found.places if place.group in names))


def _trace(network: nn.Module, sample: Tensor, grouping: Grouping) -> Trace:
    trace = Trace(network, RULES, layer_rules.LAYERS, grouping)
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
        inside = trace.inside.get(id(tensor), [])
        for number, label in enumerate(inside):
            count = len(tensor) // len(inside)
            for units, run in _runs(label):
                axes.setdefault(units, []).append(Axis(name, 1, *run, True, (number * count, count)))
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
    moving = {axis.name for group in groups for axis in group.axes}
    reversed_state = {name: tensor.clone() if name in moving else tensor for name, tensor in state.items()}
    for axis in (axis for group in groups for axis in group.axes):
        axis.move_(reversed_state[axis.name], torch.arange(axis.size).flip(0))
    with evaluation_mode(network):
        both = [list(tensors(functional_call(network, s, (inputs,)))) for s in (state, reversed_state)]
    return all(_close(one, other) for one, other in zip(*both, strict=True))


def _close(expected: Tensor, got: Tensor) -> bool:
    if not torch.isfinite(expected).all():
        return True  # weights that are not finite cannot be compared
    return bool((expected - got).abs().max() <= 1e-3 * expected.abs().max() + 1e-12)
