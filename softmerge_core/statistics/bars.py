"""The interval of one method's accuracy, and what it stands for: other test samples, other seeds, or both."""

import statistics
from collections.abc import Sequence
from math import isfinite, sqrt
from typing import Any, Literal, NamedTuple

import scipy  # loads scipy.special on first use, which takes longer than everything a page imports

from softmerge_core.statistics.measured import Measured
from softmerge_core.statistics.variance import Chance, mixed_variance, sampling_variance, spread


class Bar(NamedTuple):
    """A 95 % interval of an accuracy, ``low`` to ``high`` (0-1), over ``samples`` and ``seeds``.

    ``of``: what else might have come out: other test samples, other seeds, or both.
    """

    low: float
    high: float
    of: Literal["samples", "seeds", "both"]
    samples: int
    seeds: int


def bar(tested: Measured) -> Bar | None:
    """The interval of a method's accuracy; None where neither samples nor several seeds are known.

    One network: Wilson's interval. Several seeds: Student's t, over the seeds and, where their number is known, the
    samples together (see ``Chance``).
    """
    n, seeds, mean = tested.n, tested.seeds, tested.mean
    if not isfinite(mean) or not (n or seeds > 1):
        return None
    if seeds == 1:
        return Bar(*wilson(mean, n), "samples", n, 1)
    right = tested.right
    within, mixed = mean * (1 - mean) / n if n else 0.0, 0.0
    if right is not None:
        within, mixed = sampling_variance(right.mean(0)), mixed_variance(right)
    half = Chance(within, n, spread(tested.accuracies), mixed).limit(0.025)
    return Bar(max(mean - half, 0.0), min(mean + half, 1.0), "both" if n else "seeds", n, seeds)


def wilson(share: float, n: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share (0-1) seen on ``n`` samples."""
    z2 = float(scipy.special.ndtri(0.975)) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def interval(values: Sequence[float]) -> dict[str, Any]:
    """The mean of one or more ``values``, and the half width of its 95 % confidence interval by Student's t.

    ``{"mean", "half", "values"}``; ``half`` is None for a single value, or if any value is NaN or infinite.
    """
    half = None
    if len(values) > 1 and all(map(isfinite, values)):
        quantile = float(scipy.special.stdtrit(len(values) - 1, 0.975))
        half = quantile * statistics.stdev(values) / sqrt(len(values))
    return {"mean": statistics.fmean(values), "half": half, "values": list(values)}
