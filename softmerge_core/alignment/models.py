"""The matching of two models that are named as in a spec, for who only wants the orders. Loads torch when called."""

import operator
import time
from collections.abc import Sequence
from typing import Any

from softmerge_core.errors import SettingsError, short
from softmerge_core.settings import SourceSpec


def match_models(model: str, other: str, orders: Sequence[Sequence[int]] = (), seed: int = 0) -> dict[str, Any]:
    """Find the order in which the units of ``other`` are nearest to ``model``, by weight matching.

    ``orders``: for the first groups of units, in the order of the network, the units of ``other`` as they stand at
    first; the other groups stand as they are. Returns the ``seconds`` that matching took, and for each of the
    ``groups`` its ``name`` and the ``order`` that was found: what stands in place ``order[i]`` moves to place i.
    Raises SettingsError for what is no order, and what ``load_source`` and ``matching`` raise.
    """
    from softmerge_core.alignment.aligning import matching
    from softmerge_core.alignment.permute import apply
    from softmerge_core.alignment.symmetry.groups import permutation_groups
    from softmerge_core.zoo import load_source

    first, second = (load_source(SourceSpec(model=name)).module for name in (model, other))
    groups = permutation_groups(second)
    standing = apply(second, _by_name(orders, [group.name for group in groups]), groups)
    begun = time.perf_counter()
    found = matching(first, standing, seed=seed, names=(model, other))
    seconds = time.perf_counter() - begun
    places = [{"name": group.name, "order": found[group.name].tolist()} for group in groups if group.name in found]
    return {"seconds": seconds, "groups": places}


def _by_name(orders: Any, names: Sequence[str]) -> dict[str, Any]:
    """The orders as tensors by the names of their groups; raises SettingsError unless they are lists of numbers."""
    import torch

    try:
        if len(orders) > len(names):
            raise ValueError
        pairs = zip(names, orders, strict=False)
        return {name: torch.tensor([operator.index(unit) for unit in order]) for name, order in pairs}
    except (ValueError, TypeError, RuntimeError, OverflowError) as error:
        wanted = f"expected at most {len(names)} lists of numbers, one a group of units"
        raise SettingsError(f"orders: {wanted}, got {short(orders)}") from error
