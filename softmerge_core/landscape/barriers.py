"""Barriers on paths between networks, computed from the values along the path. Loads no torch."""

import math
from collections.abc import Sequence

from softmerge_core.events import WeightPath


def barrier(ts: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return the height of the barrier and the t at which it stands.

    The height is the maximum over t of ``value(t) - ((1 - t) value(0) + t value(1))``, for ``ts`` that rise from 0 to 1
    (Frankle et al. 2020, arXiv 1912.05671; Entezari et al. 2021, arXiv 2110.06296, eq. 1). It is never below zero, for
    the ends are on the line, and infinite if a value is not finite.
    """
    for t, value in zip(ts, values, strict=True):
        if not math.isfinite(value):
            return math.inf, t
    rises = [v - ((1 - t) * values[0] + t * values[-1]) for t, v in zip(ts, values, strict=True)]
    place = max(range(len(rises)), key=rises.__getitem__)
    return max(rises[place], 0.0), ts[place]


def path_barrier(path: WeightPath, what: str = "loss", split: str = "test") -> tuple[float, float]:
    """Return the (height, t) of a path's barrier in "loss" (nats) or "error" (0-1), on "test" or "train" data."""
    return barrier(path.t, getattr(path, f"{split}_{what}"))


def largest_rise(values: Sequence[float]) -> float:
    """Return the largest rise from any point of the path to a later one; zero for a path that only falls.

    Monotonic linear interpolation (Goodfellow, Vinyals, Saxe 2015, arXiv 1412.6544) asks whether it is zero.
    """
    lowest, rise = math.inf, 0.0
    for value in values:
        if not math.isfinite(value):
            return math.inf
        lowest = min(lowest, value)
        rise = max(rise, value - lowest)
    return rise
