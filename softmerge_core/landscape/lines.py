"""Straight lines between networks."""

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn


def line_points(first: Tensor, last: Tensor, ts: Sequence[float]) -> Tensor:
    """Return points [T, P] on the line ``(1 - t) first + t last``; both ends are vectors [P] and are met exactly."""
    return torch.stack([torch.lerp(first, last, t) for t in ts])


@torch.no_grad()
def network_between(first: nn.Module, last: nn.Module, t: float) -> nn.Module:
    """Return the network at ``(1 - t) first + t last``, its BatchNorm statistics mixed as its weights are.

    So are the middles of Jordan et al. 2022 (arXiv 2211.08403) before REPAIR. Counters are those of ``first``.
    """
    result = copy.deepcopy(first).eval()
    for own, end in zip(result.state_dict().values(), last.state_dict().values(), strict=True):
        if own.is_floating_point():
            own.lerp_(end, t)
    return result
