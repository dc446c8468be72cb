"""Optimal-transport fusion (Singh, Jaggi 2019, arXiv 1910.05653) of networks of one design, also of different widths.

Layer after layer, each group of units of a source is mapped to the target's by the transport plan of least cost
between them, with equal mass on every unit; then weights are averaged. Between equal widths a plan is a permutation.
"""

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import ot  # type: ignore[import-untyped]
import torch
from torch import Tensor, nn

from softmerge_core.alignment.activations import compare
from softmerge_core.alignment.aligning import check_inputs
from softmerge_core.alignment.permute import State, rows, tensors_of, with_tensors
from softmerge_core.alignment.symmetry.groups import symmetry
from softmerge_core.alignment.symmetry.parts import Axis, Group, Place, Symmetry
from softmerge_core.checks import check_finite
from softmerge_core.errors import SettingsError, SourceError
from softmerge_core.evaluation import reestimate_batchnorm
from softmerge_core.structure.kinds import check_network
from softmerge_core.structure.sameness import check_same_layers

Mode = Literal["weights", "activations"]
SWEEPS = 5  # after the pass from input to output, each group is mapped again using all its weights


def fuse(
    sources: Sequence[nn.Module],
    inputs: Tensor | None = None,
    mode: Mode = "weights",
    *,
    target: int = 0,
    names: Sequence[str] | None = None,
) -> nn.Module:
    """Return the mean of all sources, mapped to the shape of ``sources[target]``; none is modified.

    ``mode`` says how units are compared: by their weights, or by their activations on ``inputs`` [N, ...]. The inputs
    also serve to estimate BatchNorm's statistics again. The widths of hidden layers may differ, the design may not.
    Raises SourceError (designs differ, NaN or Inf), DataError (no inputs) or SettingsError.
    """
    labels = list(names or [f"source {number + 1}" for number in range(len(sources))])
    _check(sources, labels, inputs, mode, target)
    goal = sources[target]
    carried = [
        goal if number == target else transport(source, goal, inputs, mode, name=labels[number])
        for number, source in enumerate(sources)
    ]
    states = [tensors_of(network) for network in carried]
    mean = {
        name: torch.stack([state[name] for state in states]).mean(0) if value.is_floating_point() else value
        for name, value in states[target].items()
    }
    result = with_tensors(goal, mean)
    if inputs is not None:
        reestimate_batchnorm(result, inputs)
    return result.eval()


def _check(sources: Sequence[nn.Module], names: Sequence[str], inputs: Tensor | None, mode: str, target: int) -> None:
    if mode not in ("weights", "activations"):
        raise SettingsError(f"mode: expected weights or activations, got {mode!r}")
    if len(sources) < 2:
        raise SourceError(f"expected two or more sources, got {len(sources)}")
    if not 0 <= target < len(sources):
        raise SettingsError(f"target: expected 0 to {len(sources) - 1}, got {target}")
    for source, name in zip(sources, names, strict=True):
        check_network(source, name)
        check_finite((source,), (name,))
        if mode == "activations":
            check_inputs(source, name, inputs, "transport by activations")
    for source, name in zip(sources, names, strict=True):
        check_same_layers(sources[target], names[target], source, name)


@torch.no_grad()
def transport(
    source: nn.Module, target: nn.Module, inputs: Tensor | None = None, mode: Mode = "weights", *, name: str = "source"
) -> nn.Module:
    """Return ``source`` in ``target``'s shape and order of units, mapped by ``plans``; neither is modified."""
    pairs = _pairs(source, target, inputs, name)
    state = tensors_of(source)
    found = plans(source, target, inputs, mode, name=name)
    carry(state, [(axis, found[pair.target.name]) for pair in pairs for axis in pair.source.axes])
    return with_tensors(copy.deepcopy(target), {key: value.contiguous() for key, value in state.items()})


@dataclass(frozen=True)
class Pair:
    """One group in two networks, in which its size may differ, and the places where its activations can be seen."""

    source: Group
    target: Group
    source_places: tuple[Place, ...]
    target_places: tuple[Place, ...]


def plans(
    source: nn.Module, target: nn.Module, inputs: Tensor | None = None, mode: Mode = "weights", *, name: str = "source"
) -> dict[str, Tensor]:
    """Return the transport plan [source units, target units] of each group, by the target's name for it.

    Each plan sums to 1.
    """
    pairs = _pairs(source, target, inputs, name)
    seen = inputs if mode == "activations" else None
    found = {} if seen is None else _by_activations(source, target, pairs, seen)
    return _by_weights(tensors_of(source), tensors_of(target), pairs, found)


def _pairs(source: nn.Module, target: nn.Module, inputs: Tensor | None, name: str) -> list[Pair]:
    """Pair the groups of both networks by their position; raises SourceError if the designs differ."""
    one, other = (symmetry(network, inputs, grouped=False) for network in (source, target))
    own = {_where(group): group for group in one.groups}
    pairs = []
    for group in other.groups:
        twin = own.get(_where(group))
        if twin is None:
            raise SourceError(f"{name!r} is of another design than the target: it has no counterpart of {group.name}")
        pairs.append(Pair(twin, group, _shown(one, twin), _shown(other, group)))
    _check_shapes(source, target, pairs, name)
    return pairs


def _where(group: Group) -> tuple[tuple[str, int, int, int], ...]:
    return tuple((axis.name, axis.dim, axis.outer, axis.inner) for axis in group.axes)


def _shown(found: Symmetry, group: Group) -> tuple[Place, ...]:
    return tuple(place for place in found.places if place.group == group.name)


def _check_shapes(source: nn.Module, target: nn.Module, pairs: Iterable[Pair], name: str) -> None:
    """Raise SourceError unless all axes that belong to no group have the same length."""
    one, other = tensors_of(source), tensors_of(target)
    moving = {(axis.name, axis.dim) for pair in pairs for axis in pair.target.axes}
    for key in dict.fromkeys([*other, *one]):
        shapes = [list(state[key].shape) if key in state else None for state in (one, other)]
        fixed = [[n for dim, n in enumerate(shape or []) if (key, dim) not in moving] for shape in shapes]
        if None in shapes or len(shapes[0] or []) != len(shapes[1] or []) or fixed[0] != fixed[1]:
            raise SourceError(
                f"{name!r} is of another design than the target: {key} is {shapes[0] or 'absent'} in it "
                f"and {shapes[1] or 'absent'} in the target"
            )


def uniform_plan(cost: Tensor) -> Tensor:
    """Return the plan [m, n] of least total ``cost`` [m, n] between equal masses on m units and on n (POT's emd)."""
    table = cost.double().cpu()
    m, n = table.shape
    scaled = (table / table.abs().max().clamp(min=1e-300)).numpy()
    return torch.as_tensor(ot.emd(ot.unif(m), ot.unif(n), scaled, numItermax=1_000_000))


def _by_activations(source: nn.Module, target: nn.Module, pairs: Sequence[Pair], inputs: Tensor) -> dict[str, Tensor]:
    """Return the plans with the least mean squared difference between activations, for groups that show any."""
    shown = [pair for pair in pairs if pair.source_places and len(pair.source_places) == len(pair.target_places)]
    first = [place for pair in shown for place in pair.source_places]
    second = [place for pair in shown for place in pair.target_places]
    costs: dict[str, Tensor] = {}
    for place, moments in zip(second, compare(source, first, target, second, inputs), strict=True):
        costs[place.group] = costs.get(place.group, torch.zeros(())) + moments.distance()
    return {name: uniform_plan(cost) for name, cost in costs.items()}


def _by_weights(source: State, target: State, pairs: Sequence[Pair], known: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the plans of groups that are not ``known``: first from input to output, then again with all weights."""
    names = {key for key in target if not _is_buffer_of_statistics(key)}
    found = dict(known)
    waiting = [pair for pair in pairs if pair.target.name not in found]
    for pair in list(waiting):
        found[pair.target.name] = _plan(source, target, pair, pairs, found, names)
    for _ in range(SWEEPS if waiting else 0):
        before = dict(found)
        for pair in waiting:
            found[pair.target.name] = _plan(source, target, pair, pairs, found, names)
        if all(torch.equal(before[key], found[key]) for key in found):
            break
    return found


def _is_buffer_of_statistics(name: str) -> bool:
    return name.rsplit(".", maxsplit=1)[-1] in ("running_mean", "running_var", "num_batches_tracked")


def _plan(
    source: State,
    target: State,
    pair: Pair,
    pairs: Sequence[Pair],
    found: Mapping[str, Tensor],
    names: set[str],
) -> Tensor:
    """Return the plan of one group from squared distances of weights, on tensors whose other axes are mapped."""
    cost = torch.zeros(pair.source.size, pair.target.size, dtype=torch.float64)
    for own, goal in zip(pair.source.axes, pair.target.axes, strict=True):
        others = [other for other in pairs if other is not pair and any(a.name == own.name for a in other.target.axes)]
        twice = len({axis.dim for axis in pair.target.axes if axis.name == own.name}) > 1
        if own.name not in names or any(other.target.name not in found for other in others):
            continue
        if twice and pair.target.name not in found:
            continue
        state = {own.name: source[own.name]}
        across = [
            (axis, found[other.target.name])
            for other in [*others, pair]
            for axis in other.source.axes
            if axis.name == own.name and axis.dim != own.dim
        ]
        carry(state, across)
        cost += torch.cdist(rows(state[own.name], own).double(), rows(target[own.name], goal).double()).cpu() ** 2
    return uniform_plan(cost)


def carry(state: State, plans: Iterable[tuple[Axis, Tensor]]) -> None:
    """Map the tensors of ``state`` along axes of the source to the target's units, by plans that each sum to 1.

    An axis of outputs takes the mean over the source units that are mapped to a target unit. An axis of inputs divides
    each source unit's weight among the target units it is mapped to, so that the sum over inputs stays the same.
    """
    # The last of several groups along an axis goes first, so that those before it keep their positions.
    for axis, plan in sorted(plans, key=lambda item: -item[0].start):
        if axis.name in state:
            weights = plan / plan.sum(1 if axis.reads else 0, keepdim=True)
            state[axis.name] = _carried(state[axis.name], axis, weights)


def _carried(tensor: Tensor, axis: Axis, weights: Tensor) -> Tensor:
    """Return ``tensor`` with the units along one axis mapped linearly by ``weights`` [source units, target units]."""
    if not tensor.is_floating_point():
        return tensor
    moved = tensor.movedim(axis.dim, 0)
    before, after = moved[: axis.start], moved[axis.start + axis.length :]
    run = moved[axis.start : axis.start + axis.length].reshape(axis.outer, axis.size, axis.inner, *moved.shape[1:])
    run = torch.einsum("ou...,ut->ot...", run.double(), weights.to(run.device)).to(tensor.dtype)
    return torch.cat([before, run.flatten(0, 2), after]).movedim(0, axis.dim)
