"""Two sources of chance, test samples and seeds, in a mean accuracy or in a difference of two."""

from collections.abc import Sequence
from functools import lru_cache
from math import exp, isfinite, sqrt
from typing import NamedTuple

import numpy as np
import scipy  # loads scipy.special on first use, which takes longer than everything a page imports

TAILS = np.geomspace(0.5, 1e-12, 1000)  # of p values; no smaller one is told


class Spread(NamedTuple):
    """The ``variance`` that other seeds would bring to a mean over some; ``freedom``: their number less one."""

    variance: float
    freedom: float


class Chance(NamedTuple):
    """What else a mean might have been: ``samples`` is the variance by the ``n`` test samples (0 where not known).

    ``mixed``: the part of it that other seeds on the same samples would change too, and that the ``seeds`` hold
    already.
    """

    samples: float
    n: int = 0
    seeds: Spread = Spread(0.0, 0)
    mixed: float = 0.0

    @property
    def known(self) -> bool:
        """Whether there is anything to judge by."""
        total = self.samples + self.seeds.variance
        return isfinite(total) and total > 0

    def limit(self, tail: float) -> float:
        """What a mean whose true value is 0 exceeds with a probability of ``tail`` (0-0.5) at most.

        Three tests have to agree, so it is the largest of three limits: that of the samples, with every seed as it is;
        that of the seeds, with every sample as it is; and that of both together by Cochran and Cox (1950): Student's
        quantile for each source of chance, weighted by its variance. None of them alone keeps its promise for
        few seeds, whether they vary much or little; ``benchmarks/told_apart.py`` measures that together they do.
        """
        return float(self._limits(np.array([tail]))[0])

    def p(self, gap: float) -> float:
        """The probability that a mean whose true value is 0 lies at least as far from it as ``gap``."""
        return min(1.0, 2 * exp(np.interp(abs(gap), self._limits(TAILS), np.log(TAILS))))

    def _limits(self, tails: np.ndarray) -> np.ndarray:
        """``limit`` of each of ``tails``."""
        by_samples, by_seeds = quantiles(tails, self.n - 1), quantiles(tails, self.seeds.freedom)
        seeds = (by_seeds, self.seeds.variance)
        limits = [_weighted([(by_samples, self.samples)]), _weighted([seeds])]
        if self.seeds.freedom:
            limits.append(_weighted([(by_samples, max(self.samples - self.mixed, 0.0)), seeds]))
        return np.asarray(np.max(np.broadcast_arrays(*limits), axis=0))


def _weighted(parts: Sequence[tuple[np.ndarray, float]]) -> np.ndarray:
    """The mean of quantiles weighted by their variances, times the standard error of all; 0 where there is none."""
    total = sum(variance for _, variance in parts)
    return sum((t * variance for t, variance in parts), np.zeros(1)) / sqrt(total) if total else np.zeros(1)


def quantiles(tails: np.ndarray, freedom: float) -> np.ndarray:
    """The values that Student's t exceeds with these probabilities; the normal's without degrees of freedom."""
    return _known(freedom) if tails is TAILS else _student(tails, freedom)


@lru_cache(maxsize=64)
def _known(freedom: float) -> np.ndarray:
    return _student(TAILS, freedom)


def _student(tails: np.ndarray, freedom: float) -> np.ndarray:
    return np.asarray(-scipy.special.stdtrit(freedom, tails) if freedom > 0 else -scipy.special.ndtri(tails))


def sampling_variance(each: np.ndarray) -> float:
    """The variance that another test set would bring to the mean of ``each`` [N], one value a sample.

    As Agresti and Min (2005) do for two proportions, one half is added to each cell, so that few samples claim nothing.
    """
    return float(((each - each.mean()) ** 2).sum() + 1) / (len(each) + 2) ** 2


def mixed_variance(table: np.ndarray) -> float:
    """The part of the variance of the mean of ``table`` [seeds, N] that is neither its seeds' nor its samples' own.

    It is the mean square of the rest in an analysis of variance with two ways, divided by the number of cells; 0 for a
    single seed.
    """
    seeds, n = len(table), len(table.T)
    if seeds < 2 or n < 2:
        return 0.0
    rest = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    return float((rest * rest).sum()) / ((seeds - 1) * (n - 1)) / (seeds * n)


def spread(values: Sequence[float]) -> Spread:
    """The variance that other seeds would bring to the mean of ``values``; a single one stands for itself alone."""
    seeds = len(values)
    return Spread(float(np.var(values, ddof=1)) / seeds, seeds - 1) if seeds > 1 else Spread(0.0, 0)


def together(first: Spread, second: Spread) -> Spread:
    """The spread of a difference of two means whose seeds have nothing in common, after Welch (1947)."""
    total = first.variance + second.variance
    doubt: float = sum(each.variance * each.variance / each.freedom for each in (first, second) if each.freedom)
    return Spread(total, total * total / doubt if doubt else max(first.freedom, second.freedom))
