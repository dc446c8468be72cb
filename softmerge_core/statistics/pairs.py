"""The difference of two methods on the same test samples: is it there, how large is it, what could be seen at all?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite, nan

import numpy as np
import scipy  # loads scipy.special on first use, which takes longer than everything a page imports

from softmerge_core.statistics.measured import Measured
from softmerge_core.statistics.variance import Chance, mixed_variance, sampling_variance, spread, together

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


def difference(first: Measured, second: Measured, *, same_seeds: bool = False) -> Difference:
    """Compare two methods tested on the same samples.

    Of one network each, by McNemar's test with mid-p (Fagerland, Lydersen, Laake 2013) and the interval of Agresti and
    Min (2005), which holds for these networks: one seed cannot tell what others would bring. Of several seeds, by what
    samples and seeds together may bring (see ``Chance``); the seeds of the two are taken to have nothing in common,
    unless ``same_seeds`` says that each seed brought both the same, such as the samples that they learned from.
    """
    gap, n, seeds = first.mean - second.mean, min(first.n, second.n), max(first.seeds, second.seeds)
    a, b = first.right, second.right
    seeded = together(spread(first.accuracies), spread(second.accuracies))
    if same_seeds:
        seeded = spread([one - other for one, other in zip(first.accuracies, second.accuracies, strict=True)])
    if a is None or b is None or a.shape[1] != b.shape[1]:
        return _told(gap, gap, Chance(_independent(first.mean, second.mean, n), n, seeded), seeds)
    each = a.mean(0) - b.mean(0)
    samples = sampling_variance(each)
    if seeds > 1:
        mixed = mixed_variance(a - b) if same_seeds else mixed_variance(a) + mixed_variance(b)
        return _told(gap, gap, Chance(samples, n, seeded, mixed), seeds, paired=True)
    found = _told(gap, gap * n / (n + 2), Chance(samples, n), 1, paired=True)
    return replace(found, p=_mcnemar(each), same=not each.any())


def difference_of_values(gaps: Sequence[float]) -> Difference:
    """Compare by one number a seed, first minus second: Student's t over the seeds, whatever the samples."""
    mean = sum(gaps) / len(gaps) if gaps else nan
    return _told(mean, mean, Chance(0.0, 0, spread(gaps)), len(gaps), paired=True, limit=inf)


def _told(
    gap: float, centre: float, chance: Chance, seeds: int, *, paired: bool = False, limit: float = 1.0
) -> Difference:
    """The difference by what chance brings, with an interval around ``centre`` within ``limit`` of 0."""
    if not isfinite(gap) or not chance.known:
        return Difference(gap, nan, nan, nan, nan, chance.n, seeds, paired)
    half = chance.limit(LEVEL / 2)
    low, high = max(centre - half, -limit), min(centre + half, limit)
    return Difference(gap, low, high, chance.p(gap), half + chance.limit(1 - POWER), chance.n, seeds, paired)


def _independent(first: float, second: float, n: int) -> float:
    """The variance of the gap between two accuracies as if measured on two test sets of ``n`` samples; 0 without n."""
    if not n:
        return 0.0
    p, q = (n * first + 1) / (n + 2), (n * second + 1) / (n + 2)
    return (p * (1 - p) + q * (1 - q)) / (n + 2)


def _mcnemar(each: np.ndarray) -> float:
    """The mid-p value of McNemar's exact test, from the samples on which just one of the two is right."""
    won, lost = int((each > 0).sum()), int((each < 0).sum())
    fewer, all_ = min(won, lost), won + lost
    below = float(scipy.special.bdtr(fewer - 1, all_, 0.5)) if fewer else 0.0
    upto = float(scipy.special.bdtr(fewer, all_, 0.5))
    return min(1.0, below + upto)  # twice the tail, less the probability of what was seen
