"""Straight lines between networks."""

from collections.abc import Sequence

import torch
from torch import Tensor


def line_points(first: Tensor, last: Tensor, ts: Sequence[float]) -> Tensor:
    """Return points [T, P] on the line ``(1 - t) first + t last``; both ends are vectors [P] and are met exactly."""
    return torch.stack([torch.lerp(first, last, t) for t in ts])
