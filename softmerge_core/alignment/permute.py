"""Permutations of a network's units, which leave the function it computes unchanged."""

import copy
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from softmerge_core.alignment.symmetry.groups import Axis, Group, named_tensors, permutation_groups
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
    for group in groups:
        if group.name in permutations:
            for axis in group.axes:
                index = positions(axis, permutations[group.name], state[axis.name])
                state[axis.name] = state[axis.name].index_select(axis.dim, index)


def positions(axis: Axis, permutation: Tensor, tensor: Tensor) -> Tensor:
    """Return the index of the position of ``tensor``'s axis that moves to each place."""
    index = torch.arange(tensor.shape[axis.dim], device=tensor.device)
    run = slice(axis.start, axis.start + axis.length)
    blocks = index[run].view(axis.outer, axis.size, axis.inner)
    index[run] = blocks[:, permutation.to(tensor.device)].reshape(-1)
    return index


def rows(tensor: Tensor, axis: Axis) -> Tensor:
    """Return the part of ``tensor`` that belongs to each unit along ``axis``, as [size, rest]."""
    part = tensor.narrow(axis.dim, axis.start, axis.length).movedim(axis.dim, 0)
    blocks = part.reshape(axis.outer, axis.size, axis.inner, -1)
    return blocks.movedim(1, 0).reshape(axis.size, -1)
