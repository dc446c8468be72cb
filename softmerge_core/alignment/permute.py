"""Permutations of a network's units, which leave the function it computes unchanged."""

import copy
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from softmerge_core.alignment.symmetry.groups import named_tensors, permutation_groups
from softmerge_core.alignment.symmetry.parts import Axis, Group
from softmerge_core.errors import SettingsError

State = dict[str, Tensor]
Permutations = Mapping[str, Tensor]  # group name -> int64 [size]: the unit that moves to each place


def apply(network: nn.Module, permutations: Permutations, groups: Iterable[Group] | None = None) -> nn.Module:
    """Return a copy of ``network`` whose unit i of group g is unit ``permutations[g][i]`` of the original.

    Groups that are not named stay as they are. Raises SettingsError for an unknown group or an invalid permutation.
    """
    known = {group.name: group for group in (permutation_groups(network) if groups is None else groups)}
    for name, permutation in permutations.items():
        _check(known, name, permutation)
    state = tensors_of(network)
    permute_state(state, permutations, known.values())
    return with_tensors(network, state)


def _check(known: dict[str, Group], name: str, permutation: Tensor) -> None:
    if name not in known:
        raise SettingsError(f"unknown group {name!r}; expected one of: {', '.join(known) or 'none'}")
    size = known[name].size
    if permutation.dim() != 1 or sorted(permutation.tolist()) != list(range(size)):
        raise SettingsError(f"group {name!r}: expected a permutation of 0 to {size - 1}, got {permutation.tolist()}")


def tensors_of(network: nn.Module) -> State:
    """Return parameters and buffers by name, each once; they are not copied."""
    return {name: tensor.detach() for name, tensor in named_tensors(network)}


@torch.no_grad()
def with_tensors(network: nn.Module, state: State) -> nn.Module:
    """Return a copy of ``network`` with these parameters and buffers."""
    result = copy.deepcopy(network)
    for name, tensor in named_tensors(result):
        tensor.copy_(state[name])
    return result


def permute_state(state: State, permutations: Permutations, groups: Iterable[Group]) -> None:
    """Replace the tensors of ``state`` along all axes of the groups named in ``permutations``."""
    moving = [group for group in groups if group.name in permutations]
    for name in {axis.name for group in moving for axis in group.axes}:
        state[name] = state[name].clone()
    for group in moving:
        move_(state, group, permutations[group.name])


def move_(state: State, group: Group, order: Tensor) -> None:
    """Permute the tensors of ``state`` themselves along all axes of ``group`` by ``order`` [size]."""
    if not torch.equal(order, torch.arange(group.size)):
        for axis in group.axes:
            axis.move_(state[axis.name], order)


def rows(tensor: Tensor, axis: Axis) -> Tensor:
    """Return the part of ``tensor`` that belongs to each unit along ``axis``, as [size, rest]."""
    return axis.blocks(tensor).movedim(1, 0).reshape(axis.size, -1)
