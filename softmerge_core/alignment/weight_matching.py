"""Weight matching (Git Re-Basin: Ainsworth, Hayase, Srinivasa 2022, arXiv 2209.04836, algorithm 1).

It looks for the order of units that maximises the sum of products of all weights with the reference's. One group of
units at a time is solved as an assignment problem, with all others fixed, until no group improves.
"""

from collections.abc import Iterable, Mapping, Sequence

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from softmerge_core.alignment.permute import State, permute_state, rows
from softmerge_core.alignment.symmetry.groups import Axis, Group

SWEEPS = 100
TOLERANCE = 1e-9  # smaller relative gains of the objective are rounding errors


def best_assignment(gain: Tensor) -> Tensor:
    """Return the permutation p [n] that maximises sum_i gain[i, p[i]] for ``gain`` [n, n]; -inf is never taken."""
    _, columns = linear_sum_assignment(gain.double().cpu().numpy(), maximize=True)
    return torch.as_tensor(columns, dtype=torch.int64)


def parameter_axes(group: Group, state: Mapping[str, Tensor], only: frozenset[str]) -> list[Axis]:
    """Return the group's axes on the tensors that are matched."""
    return [axis for axis in group.axes if axis.name in only and axis.name in state]


def similarity(group: Group, target: State, state: State, only: frozenset[str], units: Tensor | None = None) -> Tensor:
    """Return products [n, n] of each unit's weights in ``target`` and in ``state``, summed over all axes.

    ``units`` [n] are the numbers of the units to compare, by default all.
    """
    count = group.size if units is None else len(units)
    result = torch.zeros(count, count, dtype=torch.float64)
    for axis in parameter_axes(group, state, only):
        one, other = (rows(tensors[axis.name], axis) for tensors in (target, state))
        if units is not None:
            one, other = one[units.to(one.device)], other[units.to(other.device)]
        result += (one.double() @ other.double().T).cpu()
    return result


def objective(target: State, state: State, names: frozenset[str]) -> float:
    """Return the sum of products of all weights with the reference's, which matching maximises."""
    return sum(float((target[name].double() * state[name].double()).sum()) for name in sorted(names))


def match_weights(
    target: State,
    state: State,
    groups: Sequence[Group],
    names: frozenset[str],
    *,
    generator: torch.Generator,
    allowed: Mapping[str, Tensor] | None = None,
) -> dict[str, Tensor]:
    """Return the permutation [size] of each group that brings ``state`` nearest to ``target``; neither is modified.

    ``names`` are the tensors to compare (all parameters). The search starts twice, from the present order and from one
    matched layer after layer, and keeps the better result. ``allowed`` [size, size] limits some groups: place i may be
    taken by unit j only where it is true. It holds closed sets of units, as ``ties`` returns them.
    """
    limits = allowed or {}
    free = [group for group in groups if _can_move(group, limits) and parameter_axes(group, state, names)]
    best: tuple[float, dict[str, Tensor]] | None = None
    for forward_first in (False, True):
        matching = _Matching(target, state, free, names, limits)
        if forward_first:
            matching.forward(groups)
        matching.descend(generator)
        value = objective(target, matching.state, names)
        if best is None or value > best[0] + TOLERANCE * abs(best[0]):
            best = value, matching.permutations
    assert best is not None
    return best[1]


def _can_move(group: Group, allowed: Mapping[str, Tensor]) -> bool:
    return group.name not in allowed or int(allowed[group.name].sum()) > group.size


def _beside(group: Group, groups: Iterable[Group]) -> set[str]:
    """Return the groups with a tensor in common with ``group``: itself only if a tensor has it on two axes."""
    own = [axis.name for axis in group.axes]
    others = {other.name for other in groups if any(axis.name in own for axis in other.axes)}
    dims = {(axis.name, axis.dim) for axis in group.axes}
    return others if len(dims) > len(set(own)) else others - {group.name}


class _Matching:
    """One descent: ``state`` is permuted step by step, and ``permutations`` record how."""

    def __init__(
        self,
        target: State,
        state: State,
        groups: Sequence[Group],
        names: frozenset[str],
        allowed: Mapping[str, Tensor],
    ) -> None:
        self.target, self.state, self.groups, self.names, self.allowed = target, dict(state), groups, names, allowed
        self.permutations = {group.name: torch.arange(group.size) for group in groups}
        self.beside = {group.name: _beside(group, groups) for group in groups}

    def forward(self, all_groups: Sequence[Group]) -> None:
        """Match layer after layer by those axes whose other axes are already matched."""
        waiting = {group.name for group in self.groups}
        for group in self.groups:
            ready = frozenset(axis.name for axis in group.axes if self._settled(axis.name, group, all_groups, waiting))
            usable = self.names & ready
            if parameter_axes(group, self.state, usable):
                self._permute(group, self._assignment(group, usable)[0])
            waiting.discard(group.name)

    @staticmethod
    def _settled(name: str, group: Group, groups: Sequence[Group], waiting: set[str]) -> bool:
        """Tell whether all other axes of the tensor are matched; a second axis of the group itself never is."""
        own = len({axis.dim for axis in group.axes if axis.name == name}) == 1
        others = {other.name for other in groups if any(axis.name == name for axis in other.axes)}
        return own and not (others - {group.name}) & waiting

    def descend(self, generator: torch.Generator) -> None:
        """Give each group, in random order, its best assignment, until a whole sweep improves nothing."""
        waiting = {group.name for group in self.groups}  # the others cannot improve before a tensor of theirs changes
        for _ in range(SWEEPS):
            moved = False
            for number in torch.randperm(len(self.groups), generator=generator).tolist():
                group = self.groups[number]
                if group.name in waiting:
                    waiting.discard(group.name)
                    if self._improve(group):
                        moved = True
                        waiting |= self.beside[group.name]
            if not moved:
                return

    def _improve(self, group: Group) -> bool:
        """Take the best assignment if it raises the objective; it may not if a tensor has the group on two axes."""
        permutation, gained = self._assignment(group, self.names)
        if not gained:
            return False
        if group.name not in self.beside[group.name]:
            self._permute(group, permutation)
            return True
        touched = frozenset(axis.name for axis in parameter_axes(group, self.state, self.names))
        before = objective(self.target, self.state, touched)
        kept, previous = dict(self.state), self.permutations[group.name]
        self._permute(group, permutation)
        if _higher(objective(self.target, self.state, touched), before):
            return True
        self.state, self.permutations[group.name] = kept, previous
        return False

    def _assignment(self, group: Group, names: frozenset[str]) -> tuple[Tensor, bool]:
        """Return the best assignment of the present units that is allowed, by the tensors ``names``, and if it gains.

        With two axes of the group on one tensor, the gain is an estimate.
        """
        result = torch.arange(group.size)
        if group.name not in self.allowed:
            gain = similarity(group, self.target, self.state, names)
            result = best = best_assignment(gain)
        else:
            allowed = self.allowed[group.name][:, self.permutations[group.name]]
            units = (allowed.sum(1) > 1).nonzero()[:, 0]
            gain = similarity(group, self.target, self.state, names, units)
            best = best_assignment(gain.masked_fill(~allowed[units][:, units], -torch.inf))
            result[units] = units[best]
        after = gain.gather(1, best[:, None]).sum()
        return result, _higher(float(after), float(gain.diagonal().sum()))

    def _permute(self, group: Group, permutation: Tensor) -> None:
        permute_state(self.state, {group.name: permutation}, [group])
        self.permutations[group.name] = self.permutations[group.name][permutation]


def _higher(value: float, than: float) -> bool:
    return value > than + TOLERANCE * (1 + abs(than))
