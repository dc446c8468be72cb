"""Two starts are enough for weight matching."""

import pytest
import torch

from softmerge_core.alignment.descent import Descent, objective
from softmerge_core.alignment.permute import permute_state, tensors_of
from softmerge_core.alignment.symmetry.groups import permutation_groups
from softmerge_core.alignment.weight_matching import match_weights
from softmerge_core.zoo import load_family


@pytest.mark.parametrize("family", ["mnist1d-cnn-independent", "spirals-mlp-independent"])
def test_ten_random_starts_find_nothing_better_by_a_hundredth(family: str) -> None:
    one, other = load_family(family).sources[2:4]
    groups, target, state = permutation_groups(one), tensors_of(one), tensors_of(other)
    names = frozenset(name for name, _ in one.named_parameters())
    found = dict(state)
    orders = match_weights(target, state, groups, names, generator=torch.Generator().manual_seed(0))
    permute_state(found, orders, groups)
    best = 0.0
    for seed in range(10):
        generator = torch.Generator().manual_seed(seed)
        start = dict(state)
        permute_state(start, {group.name: torch.randperm(group.size, generator=generator) for group in groups}, groups)
        descent = Descent(target, start, groups, names, {})
        descent.descend(generator)
        best = max(best, objective(target, descent.state, names))
    assert objective(target, found, names) > 0.99 * best
    assert best > 10 * objective(target, state, names)
