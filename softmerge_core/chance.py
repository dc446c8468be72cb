"""How much of what was measured may be chance."""

import statistics
from collections.abc import Sequence
from math import isfinite, sqrt
from typing import Any

import scipy  # loads scipy.special on first use, which takes longer than everything a page imports


def standard_error(first: float, second: float, n: int) -> float:
    """The standard error of the difference between two accuracies (0-1), each from ``n`` independent samples.

    It is sqrt(p(1-p)/n + q(1-q)/n). Measured on the same test set, the two accuracies rise and fall together and the
    true error is smaller, so this errs on the careful side.
    """
    return sqrt((first * (1 - first) + second * (1 - second)) / n)


def interval(values: Sequence[float]) -> dict[str, Any]:
    """The mean of one or more ``values``, and the half width of its 95 % confidence interval by Student's t.

    ``{"mean", "half", "values"}``; ``half`` is None for a single value, or if any value is NaN or infinite.
    """
    half = None
    if len(values) > 1 and all(map(isfinite, values)):
        quantile = float(scipy.special.stdtrit(len(values) - 1, 0.975))
        half = quantile * statistics.stdev(values) / sqrt(len(values))
    return {"mean": statistics.fmean(values), "half": half, "values": list(values)}
