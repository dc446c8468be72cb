"""How close to Gaussian a layer's weights are, in numbers."""

from dataclasses import dataclass

import torch
from scipy import stats
from torch import Tensor


@dataclass(frozen=True)
class Normality:
    """``skewness`` and excess ``kurtosis`` (both 0 for a Gaussian), and the largest ``gap`` (0-1).

    The gap is that between the empirical distribution function and the one of a Gaussian with the same mean and
    spread (the statistic of Lilliefors 1967).
    """

    skewness: float
    kurtosis: float
    gap: float


def normality(values: Tensor) -> Normality:
    """The normality of all entries of ``values`` (any shape, at least one), in float64; moments over n, not n - 1.

    Values without any spread are not Gaussian: skewness 0, kurtosis 0, gap 1/2.
    """
    x = values.detach().double().flatten()
    spread = x.std(correction=0)
    if not bool(spread > 0):
        return Normality(0.0, 0.0, 0.5)
    z = ((x - x.mean()) / spread).sort().values
    fitted = torch.special.ndtr(z)
    steps = torch.arange(len(z) + 1, dtype=torch.float64) / len(z)
    gap = torch.maximum((steps[1:] - fitted).max(), (fitted - steps[:-1]).max())
    return Normality(float(stats.skew(z.numpy())), float(stats.kurtosis(z.numpy())), float(gap))
