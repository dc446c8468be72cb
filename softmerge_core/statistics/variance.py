"""Two sources of chance, test samples and seeds, in one variance of a mean accuracy or of a difference of two."""

from collections.abc import Sequence
from math import isfinite
from typing import NamedTuple

import numpy as np

UNSTEADY = 1.25  # seeds that vary more than this many times the samples decide the degrees of freedom alone


class Spread(NamedTuple):
    """The ``variance`` that other seeds would bring to a mean over some; ``freedom``: their number less one."""

    variance: float
    freedom: int


def sampling_variance(each: np.ndarray) -> float:
    """The variance that another test set would bring to the mean of ``each`` [N], one value a sample.

    As Agresti and Min (2005) do for two proportions, one half is added to each cell, so that few samples claim nothing.
    """
    return float(((each - each.mean()) ** 2).sum() + 1) / (len(each) + 2) ** 2


def spread(values: Sequence[float]) -> Spread:
    """The variance that other seeds would bring to the mean of ``values``; a single one stands for itself alone."""
    seeds = len(values)
    return Spread(float(np.var(values, ddof=1)) / seeds, seeds - 1) if seeds > 1 else Spread(0.0, 0)


def with_seeds(samples: float, n: int, spreads: Sequence[Spread]) -> tuple[float, float]:
    """(variance, degrees of freedom) of seeds and samples together; ``samples``: the variance by ``n`` of them.

    The two are added. Each seed's network meets the same samples, so a part is counted twice, which errs on the careful
    side. The degrees of freedom are Satterthwaite's (1946), which promise too much where few seeds vary widely: there
    they are those of the seeds. ``benchmarks/told_apart.py`` measures both. The variance is 0 where nothing is known.
    """
    known = [each for each in spreads if each.freedom]
    seeds = sum(each.variance for each in known)
    total = samples + seeds
    if not total or not isfinite(total):
        return 0.0, 1.0
    doubt = sum(each.variance**2 / each.freedom for each in known)
    if seeds > UNSTEADY * samples:
        return total, seeds**2 / doubt
    return total, total**2 / (samples**2 / max(n - 1, 1) + doubt)
