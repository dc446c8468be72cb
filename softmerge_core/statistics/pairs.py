"""The difference of two methods on the same test samples: is it there, how large is it, what could be seen at all?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, nan, sqrt

import numpy as np
import scipy  # loads scipy.special on first use, which takes longer than everything a page imports

from softmerge_core.statistics.measured import Measured
from softmerge_core.statistics.variance import Spread, sampling_variance, spread, with_seeds

LEVEL = 0.05  # two methods are told apart below this p value: equal ones in at most 5 % of comparisons
POWER = 0.8  # the smallest gap that is resolved is the one that is found this often


@dataclass(frozen=True)
class Difference:
    """First minus second mean accuracy (0-1): ``gap``, its 95 % interval ``low`` to ``high``, and the ``p`` value.

    ``resolves``: the smallest true gap (0-1) that so many samples and seeds would find in 80 % of comparisons.
    ``paired``: whether it is known sample by sample who is right; else the samples are taken as independent, which
    errs on the careful side. ``same``: both get exactly the same samples right. Numbers are NaN where nothing is known.
    """

    gap: float
    low: float
    high: float
    p: float
    resolves: float
    samples: int
    seeds: int
    paired: bool
    same: bool = False

    @property
    def told_apart(self) -> bool:
        """Whether chance alone would give such a gap in fewer than 5 % of comparisons."""
        return self.p < LEVEL


def difference(first: Measured, second: Measured) -> Difference:
    """Compare two methods tested on the same samples.

    Of one network each, by McNemar's test with mid-p (Fagerland, Lydersen, Laake 2013) and the interval of Agresti and
    Min (2005). Of several seeds, by Student's t on the variance of samples and seeds together. Seeds are paired if both
    methods have as many (in the same order): then what a seed does to both does not count.
    """
    gap, n, seeds = first.mean - second.mean, min(first.n, second.n), max(first.seeds, second.seeds)
    a, b = first.right, second.right
    if a is None or b is None or a.shape[1] != b.shape[1]:
        variance, freedom = with_seeds(_independent(first.mean, second.mean, n), n, _spreads(first, second))
        return _told(gap, gap, variance, freedom, n, seeds)
    each = a.mean(0) - b.mean(0)
    samples = sampling_variance(each)
    if seeds > 1:
        return _told(gap, gap, *with_seeds(samples, n, _spreads(first, second)), n, seeds, paired=True)
    found = _told(gap, gap * n / (n + 2), samples, inf, n, 1, paired=True)
    return replace(found, p=_mcnemar(each), same=not each.any())


def difference_of_values(gaps: Sequence[float]) -> Difference:
    """Compare by one number a seed, first minus second: Student's t over the seeds, whatever the samples."""
    mean = sum(gaps) / len(gaps) if gaps else nan
    return _told(mean, mean, *with_seeds(0.0, 0, [spread(gaps)]), 0, len(gaps), paired=True, limit=inf)


def _told(
    gap: float, centre: float, variance: float, freedom: float, n: int, seeds: int, *, paired: bool = False,
    limit: float = 1.0,
) -> Difference:  # fmt: skip
    """The difference by Student's t, with an interval around ``centre`` within ``limit`` of 0."""
    if not isfinite(gap) or not variance:
        return Difference(gap, nan, nan, nan, nan, n, seeds, paired)
    error, quantile = sqrt(variance), _quantile(1 - LEVEL / 2, freedom)
    low, high = max(centre - quantile * error, -limit), min(centre + quantile * error, limit)
    resolves = (quantile + _quantile(POWER, freedom)) * error
    return Difference(gap, low, high, _two_sided(gap / error, freedom), resolves, n, seeds, paired)


def _independent(first: float, second: float, n: int) -> float:
    """The variance of the gap between two accuracies as if measured on two test sets of ``n`` samples; 0 without n."""
    if not n:
        return 0.0
    p, q = (n * first + 1) / (n + 2), (n * second + 1) / (n + 2)
    return (p * (1 - p) + q * (1 - q)) / (n + 2)


def _spreads(first: Measured, second: Measured) -> list[Spread]:
    """What other seeds would bring: to the paired gap, or to each method on its own where seeds cannot be paired."""
    if first.seeds == second.seeds:
        return [spread([a - b for a, b in zip(first.accuracies, second.accuracies, strict=True)])]
    return [spread(first.accuracies), spread(second.accuracies)]


def _mcnemar(each: np.ndarray) -> float:
    """The mid-p value of McNemar's exact test, from the samples on which just one of the two is right."""
    won, lost = int((each > 0).sum()), int((each < 0).sum())
    fewer, all_ = min(won, lost), won + lost
    below = float(scipy.special.bdtr(fewer - 1, all_, 0.5)) if fewer else 0.0
    upto = float(scipy.special.bdtr(fewer, all_, 0.5))
    return min(1.0, below + upto)  # twice the tail, less the probability of what was seen


def _two_sided(t: float, freedom: float) -> float:
    return float(2 * scipy.special.stdtr(freedom, -abs(t)))


def _quantile(share: float, freedom: float) -> float:
    return float(scipy.special.stdtrit(freedom, share))
