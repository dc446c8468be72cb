"""Weight matching (Git Re-Basin: Ainsworth, Hayase, Srinivasa 2022, arXiv 2209.04836, algorithm 1).

It looks for the order of units that maximises the sum of products of all weights with the reference's. One group of
units at a time is solved as an assignment problem, with all others fixed, until no group improves.
"""

from collections.abc import Mapping, Sequence

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from softmerge_core.alignment.permute import State, permute_state, rows
from softmerge_core.alignment.symmetry.groups import Axis, Group

SWEEPS = 100
TOLERANCE = 1e-9  # smaller relative gains of the objective are rounding errors


def best_assignment(gain: Tensor) -> Tensor:
    """Return the permutation p [n] that maximises sum_i gain[i, p[i]] for ``gain`` [n, n]."""
    _, columns = linear_sum_assignment(gain.double().cpu().numpy(), maximize=True)
    return torch.as_tensor(columns, dtype=torch.int64)


def parameter_axes(group: Group, state: Mapping[str, Tensor], only: frozenset[str]) -> list[Axis]:
    """Return the group's axes on the tensors that are matched."""
    return [axis for axis in group.axes if axis.name in only and axis.name in state]


def similarity(group: Group, target: State, state: State, only: frozenset[str]) -> Tensor:
    """Return products [size, size] of each unit's weights in ``target`` and in ``state``, summed over all axes."""
    result = torch.zeros(group.size, group.size, dtype=torch.float64)
    for axis in parameter_axes(group, state, only):
        result += (rows(target[axis.name], axis).double() @ rows(state[axis.name], axis).double().T).cpu()
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
    fixed: frozenset[str] = frozenset(),
) -> dict[str, Tensor]:
    """Return the permutation [size] of each group that brings ``state`` nearest to ``target``; neither is modified.

    ``names`` are the tensors to compare (all parameters). The search starts twice, from the present order and from one
    matched layer after layer, and keeps the better result. Groups in ``fixed`` stay as they are.
    """
    free = [group for group in groups if group.name not in fixed and parameter_axes(group, state, names)]
    best: tuple[float, dict[str, Tensor]] | None = None
    for forward_first in (False, True):
        matching = _Matching(target, state, free, names)
        if forward_first:
            matching.forward(groups)
        matching.descend(generator)
        value = objective(target, matching.state, names)
        if best is None or value > best[0] + TOLERANCE * abs(best[0]):
            best = value, matching.permutations
    assert best is not None
    return best[1]


class _Matching:
    """One descent: ``state`` is permuted step by step, and ``permutations`` record how."""

    def __init__(self, target: State, state: State, groups: Sequence[Group], names: frozenset[str]) -> None:
        self.target, self.state, self.groups, self.names = target, dict(state), groups, names
        self.permutations = {group.name: torch.arange(group.size) for group in groups}

    def forward(self, all_groups: Sequence[Group]) -> None:
        """Match layer after layer by those axes whose other axes are already matched."""
        waiting = {group.name for group in self.groups}
        for group in self.groups:
            ready = frozenset(axis.name for axis in group.axes if self._settled(axis.name, group, all_groups, waiting))
            usable = self.names & ready
            if parameter_axes(group, self.state, usable):
                self._permute(group, best_assignment(similarity(group, self.target, self.state, usable)))
            waiting.discard(group.name)

    @staticmethod
    def _settled(name: str, group: Group, groups: Sequence[Group], waiting: set[str]) -> bool:
        """Tell whether all other axes of the tensor are matched; a second axis of the group itself never is."""
        own = len({axis.dim for axis in group.axes if axis.name == name}) == 1
        others = {other.name for other in groups if any(axis.name == name for axis in other.axes)}
        return own and not (others - {group.name}) & waiting

    def descend(self, generator: torch.Generator) -> None:
        """Give each group, in random order, its best assignment, until a whole sweep improves nothing."""
        for _ in range(SWEEPS):
            gains = [
                self._improve(self.groups[n]) for n in torch.randperm(len(self.groups), generator=generator).tolist()
            ]
            if not any(gains):
                return

    def _improve(self, group: Group) -> bool:
        """Take the best assignment if it raises the objective; it may not if a tensor has the group on two axes."""
        touched = frozenset(axis.name for axis in parameter_axes(group, self.state, self.names))
        before = objective(self.target, self.state, touched)
        kept = {name: self.state[name] for name in {axis.name for axis in group.axes}}
        permutation = best_assignment(similarity(group, self.target, self.state, self.names))
        previous = self.permutations[group.name]
        self._permute(group, permutation)
        if objective(self.target, self.state, touched) > before + TOLERANCE * (1 + abs(before)):
            return True
        self.state.update(kept)
        self.permutations[group.name] = previous
        return False

    def _permute(self, group: Group, permutation: Tensor) -> None:
        permute_state(self.state, {group.name: permutation}, [group])
        self.permutations[group.name] = self.permutations[group.name][permutation]
