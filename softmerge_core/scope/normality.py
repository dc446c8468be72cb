"""How close to Gaussian a layer's weights are, in numbers and in words. Torch comes in on use."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SKEWED, TAILED, CLOSE = 0.5, 1.0, 0.06  # from these on (of kurtosis and gap: beyond) it is not close to Gaussian


@dataclass(frozen=True)
class Normality:
    """``skewness`` and excess ``kurtosis`` (both 0 for a Gaussian), and the largest ``gap`` (0-1).

    The gap is that between the empirical distribution function and that of the Gaussian of the same mean and spread
    (the statistic of Lilliefors 1967).
    """

    skewness: float
    kurtosis: float
    gap: float


def normality(values: "Tensor") -> Normality:
    """Of all entries of ``values`` (any shape, at least one), in float64; moments over n, not n - 1.

    Values without any spread are no Gaussian: skewness 0, kurtosis 0, gap 1/2.
    """
    import torch

    x = values.detach().double().flatten()
    spread = x.std(correction=0)
    if not bool(spread > 0):
        return Normality(0.0, 0.0, 0.5)
    z = ((x - x.mean()) / spread).sort().values
    fitted = torch.special.ndtr(z)
    steps = torch.arange(len(z) + 1, dtype=torch.float64) / len(z)
    gap = torch.maximum((steps[1:] - fitted).max(), (fitted - steps[:-1]).max())
    return Normality(float((z**3).mean()), float((z**4).mean() - 3), float(gap))


def in_words(measured: Normality) -> str:
    """ "close to Gaussian", or what most tells the weights from a Gaussian, and the numbers."""
    return f"{judged(measured)} (skewness {_signed(measured.skewness)}, excess kurtosis {_signed(measured.kurtosis)})"


def judged(measured: Normality) -> str:
    """The words alone."""
    found = []
    if measured.kurtosis > TAILED:
        found.append("heavy tails")
    if measured.kurtosis < -TAILED:
        found.append("flat, no tails")
    if abs(measured.skewness) > SKEWED:
        found.append(f"longer tail on the {'right' if measured.skewness > 0 else 'left'}")
    if found:
        return ", ".join(found)
    return "close to Gaussian" if measured.gap <= CLOSE else "roughly Gaussian"


def _signed(value: float) -> str:
    return f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−")
