"""One descent of weight matching: groups of units are given their best order one at a time, with all others fixed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from softmerge_core.alignment.assignment import best_assignment, best_inside, total
from softmerge_core.alignment.permute import State, move_, rows
from softmerge_core.alignment.symmetry.parts import Axis, Group

SWEEPS = 100
TOLERANCE = 1e-9  # smaller relative gains of the objective are rounding errors
Moves = dict[str, Tensor]  # group name -> the permutation of its present units, in the order they are to be done


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


def higher(value: float, than: float) -> bool:
    """Tell whether ``value`` is above another by more than rounding errors."""
    return value > than + TOLERANCE * (1 + abs(than))


class Descent:
    """``state`` is permuted step by step toward ``target``, and ``permutations`` record how; neither is modified.

    ``groups`` are those that may move, ``names`` the tensors to compare. ``allowed`` [size, size] limits some groups.
    """

    def __init__(
        self,
        target: State,
        state: State,
        groups: Sequence[Group],
        names: frozenset[str],
        allowed: Mapping[str, Tensor],
    ) -> None:
        self.target, self.groups, self.names, self.allowed = target, groups, names, allowed
        moving = {axis.name for group in groups for axis in group.axes}
        self.state = {name: tensor.clone() if name in moving else tensor for name, tensor in state.items()}
        self.by_name = {group.name: group for group in groups}
        self.permutations = {group.name: torch.arange(group.size) for group in groups}
        self.holders = _holders(groups)
        self.meeting = {axis.name for group in groups for axis in group.axes if axis.rows}

    def forward(self) -> None:
        """Match layer after layer by those axes whose other axes are already matched."""
        waiting = set(self.by_name)
        for group in self.groups:
            usable = self.names & {axis.name for axis in group.axes if self._is_settled(axis.name, group, waiting)}
            if parameter_axes(group, self.state, usable):
                self._permute(self._best(group, usable)[0])
            waiting.discard(group.name)

    def _is_settled(self, name: str, group: Group, waiting: set[str]) -> bool:
        """Tell whether all other axes of the tensor are matched; a second axis of the group itself never is."""
        dims = {axis.dim for axis in group.axes if axis.name == name}
        others = {other for dim, other in self.holders[name] if dim not in dims}
        return len(dims) == 1 and not others & waiting

    def descend(self, generator: torch.Generator) -> None:
        """Give each group, in random order, its best assignment, until a whole sweep improves nothing."""
        waiting = set(self.by_name)  # the others cannot improve before a tensor of theirs changes
        for _ in range(SWEEPS):
            moved = False
            for number in torch.randperm(len(self.groups), generator=generator).tolist():
                group = self.groups[number]
                if group.name in waiting:
                    waiting.discard(group.name)
                    if self._improve(group):
                        moved = True
                        waiting |= self._changed(group)
            if not moved:
                return

    def _changed(self, group: Group) -> set[str]:
        """Return the groups whose best assignment may be another one after ``group`` has moved."""
        across = {n for axis in group.axes for dim, n in self.holders[axis.name] if dim != axis.dim}
        return across.union(*(held.names for held in group.inside))

    def _improve(self, group: Group) -> bool:
        """Take the best assignment if it raises the objective, which must be asked where the gain is an estimate."""
        moves, gains = self._best(group, self.names)
        if not gains:
            return False
        if not _is_estimate(group):
            self._permute(moves)
            return True
        touched = frozenset(axis.name for axis in parameter_axes(group, self.state, self.names))
        before = objective(self.target, self.state, touched)
        state = {name: self.state[name].clone() for name in {axis.name for axis in group.axes}}
        permutations = dict(self.permutations)
        self._permute(moves)
        if higher(objective(self.target, self.state, touched), before):
            return True
        self.state |= state
        self.permutations = permutations
        return False

    def _best(self, group: Group, names: frozenset[str]) -> tuple[Moves, bool]:
        """Return the best assignment of the present units by the tensors ``names``, and if it gains anything."""
        if group.name in self.allowed:
            return self._best_allowed(group, names)
        if group.inside:
            return self._best_blocks(group, names)
        gain = similarity(group, self.target, self.state, names)
        order = best_assignment(gain)
        return {group.name: order}, higher(total(gain, order), float(gain.trace()))

    def _best_allowed(self, group: Group, names: frozenset[str]) -> tuple[Moves, bool]:
        allowed = self.allowed[group.name][:, self.permutations[group.name]]
        units = (allowed.sum(1) > 1).nonzero()[:, 0]
        gain = similarity(group, self.target, self.state, names, units)
        best = best_assignment(gain.masked_fill(~allowed[units][:, units], -torch.inf))
        order = torch.arange(group.size)
        order[units] = units[best]
        return {group.name: order}, higher(total(gain, best), float(gain.trace()))

    def _best_blocks(self, group: Group, names: frozenset[str]) -> tuple[Moves, bool]:
        """Whole blocks with what they hold, each pair of blocks in its best order inside.

        Weights between inputs and outputs of one block are left out, for they depend on both orders inside.
        """
        usable = names - self.meeting
        outside = replace(group, axes=tuple(axis for axis in group.axes if not _is_held(axis, group)))
        gain = similarity(outside, self.target, self.state, usable)
        before, orders = float(gain.trace()), []
        for held in group.inside:
            table = similarity(held.units, self.target, self.state, usable)
            by_block, order = best_inside(table, group.size)
            gain, before = gain + by_block, before + float(table.trace())
            orders.append(order)
        blocks = best_assignment(gain)
        moves = {group.name: blocks}
        for held, order in zip(group.inside, orders, strict=True):
            moves |= {name: order[place, blocks[place]] for place, name in enumerate(held.names)}
        return moves, higher(total(gain, blocks), before)

    def _permute(self, moves: Moves) -> None:
        for name, order in moves.items():
            group = self.by_name[name]
            move_(self.state, group, order)
            for held in group.inside:  # what was done inside a block goes along with it
                done = [self.permutations[inner] for inner in held.names]
                self.permutations |= {inner: done[int(order[place])] for place, inner in enumerate(held.names)}
            self.permutations[name] = self.permutations[name][order]


def _holders(groups: Iterable[Group]) -> dict[str, set[tuple[int, str]]]:
    """Return for each tensor the groups along its axes, as (axis, name of the group)."""
    result: dict[str, set[tuple[int, str]]] = {}
    for group in groups:
        for axis in group.axes:
            result.setdefault(axis.name, set()).add((axis.dim, group.name))
    return result


def _is_estimate(group: Group) -> bool:
    """Tell whether a gain is not exact: a tensor has the group on two axes, or it holds others."""
    dims = {(axis.name, axis.dim) for axis in group.axes}
    return bool(group.inside) or len(dims) > len({axis.name for axis in group.axes})


def _is_held(axis: Axis, group: Group) -> bool:
    runs = {(own.name, own.dim, own.start) for held in group.inside for own in held.units.axes}
    return (axis.name, axis.dim, axis.start) in runs
