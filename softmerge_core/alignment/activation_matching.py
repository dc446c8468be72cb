"""Activation matching (Git Re-Basin, arXiv 2209.04836, section 3.1; Li et al. 2015, arXiv 1511.07543).

Units are matched by what they do on the same inputs: the assignment with the largest sum of correlations is chosen.
Often there are several. A unit that never changes correlates with no other, and units that change on the same sample
only correlate alike. Which units may take each other's places is told, so that their weights can decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from scipy.sparse.csgraph import connected_components
from torch import Tensor, nn

from softmerge_core.alignment.activations import by_group, compare
from softmerge_core.alignment.assignment import best_assignment, best_inside
from softmerge_core.alignment.symmetry.parts import Group, Symmetry

TIED = 1e-5  # correlations that differ by less are equal: activations in float32 carry errors of this size


@dataclass(frozen=True)
class Matched:
    """The permutation [size] of each group, and what it leaves open: ``ties`` [size, size] of each group.

    ``ties[i, j]`` is true if, after the permutation, unit j might as well stand in place i.
    """

    orders: dict[str, Tensor]
    ties: dict[str, Tensor]


def match_activations(target: nn.Module, source: nn.Module, symmetry: Symmetry, inputs: Tensor) -> Matched:
    """Match each group whose activations can be seen; only ``inputs`` [N, ...] are used.

    Attention heads cannot be seen. They are left out here and can be matched by their weights.
    """
    moments = compare(target, symmetry.places, source, symmetry.places, inputs)
    alike = by_group(symmetry.places, [moment.correlation() for moment in moments])
    blocks = [group for group in symmetry.groups if any(held.units.name in alike for held in group.inside)]
    apart = {group.name: alike[group.name] for group in symmetry.groups if group.name in alike}
    matched = Matched({}, {})
    for group in blocks:
        held = {held.names: alike[held.units.name] for held in group.inside if held.units.name in alike}
        _match_blocks(matched, group, apart.pop(group.name, None), held)
    for name, gain in apart.items():
        matched.orders[name] = best_assignment(gain)
        matched.ties[name] = ties(gain[:, matched.orders[name]])
    return matched


def _match_blocks(matched: Matched, group: Group, gain: Tensor | None, held: Mapping[tuple[str, ...], Tensor]) -> None:
    """Match whole blocks, each pair in its best order inside; weights decide inside blocks only."""
    inside = {names: best_inside(table, group.size) for names, table in held.items()}
    gains = [by_block for by_block, _ in inside.values()] + ([] if gain is None else [gain.cpu()])
    blocks = best_assignment(torch.stack(gains).sum(0))
    matched.orders[group.name] = blocks
    matched.ties[group.name] = torch.eye(group.size, dtype=torch.bool)
    for names, (_, orders) in inside.items():
        size = orders.shape[2]
        tables = held[names].view(group.size, size, group.size, size)
        for place, name in enumerate(names):
            matched.orders[name] = orders[place, blocks[place]]
            matched.ties[name] = ties(tables[place, :, blocks[place]][:, matched.orders[name]])


def ties(gain: Tensor) -> Tensor:
    """Return which units j may stand in place i [n, n] in some best assignment of ``gain`` [n, n].

    The present order must be one of the best. With the dual solution ("prices") of the assignment problem, the best
    assignments are those all of whose pairs have no slack. Each pair of the result is part of one of them.
    """
    table = gain.double().cpu()
    loss = table.diagonal()[:, None] - table
    prices = torch.zeros(len(table), dtype=torch.float64)
    for _ in range(len(table)):  # Bellman and Ford
        raised = (prices[:, None] - loss).amax(0)
        settled = bool((raised - prices).amax() <= TIED / len(table))
        prices = raised
        if settled:
            break
    tight = prices[None] - prices[:, None] + loss <= TIED
    _, circle = connected_components(tight.numpy(), directed=True, connection="strong")
    part = torch.as_tensor(circle)
    return tight & (part[:, None] == part[None])
