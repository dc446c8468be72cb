"""Weight matching (Git Re-Basin: Ainsworth, Hayase, Srinivasa 2022, arXiv 2209.04836, algorithm 1).

It looks for the order of units that maximises the sum of products of all weights with the reference's. One group of
units at a time is solved as an assignment problem, with all others fixed, until no group improves.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from softmerge_core.alignment.descent import Descent, higher, objective, parameter_axes
from softmerge_core.alignment.permute import State
from softmerge_core.alignment.symmetry.parts import Group


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
    matched layer after layer, and keeps the better result; more starts, from random orders, find nothing better on a
    ResNet-18 and hardly anything on small networks (``benchmarks/matching.py``). ``allowed`` [size, size] limits some
    groups: place i may be taken by unit j only where it is true. It holds closed sets of units, as ``ties`` returns
    them.
    """
    limits = allowed or {}
    free = [group for group in groups if _can_move(group, limits) and parameter_axes(group, state, names)]
    best: tuple[float, dict[str, Tensor]] | None = None
    for forward_first in (False, True):
        matching = Descent(target, state, free, names, limits)
        if forward_first:
            matching.forward()
        matching.descend(generator)
        value = objective(target, matching.state, names)
        if best is None or higher(value, best[0]):
            best = value, matching.permutations
    assert best is not None
    return best[1]


def _can_move(group: Group, allowed: Mapping[str, Tensor]) -> bool:
    return group.name not in allowed or int(allowed[group.name].sum()) > group.size
