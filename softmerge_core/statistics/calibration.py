"""Calibration: does a network that says 80 % get 80 % right? By bins of confidence, with what chance may do to it."""

from math import nan
from typing import NamedTuple

import numpy as np

BINS = 15  # as Guo et al. 2017 have them, and ``evaluation.calibration_error``
FEW = 20  # samples in a bin: of fewer its share of right answers says little
DRAWS = 300  # test sets that are drawn for an interval
_TOGETHER = 2**21  # numbers that are drawn at once


class Bins(NamedTuple):
    """The samples of a network by its confidence, in equal bins that are open below and closed above, [bins] each.

    ``size``: the number of samples; ``confidence`` and ``right``: their mean confidence and the share that is right
    (0-1), NaN in an empty bin.
    """

    size: np.ndarray
    confidence: np.ndarray
    right: np.ndarray


class Calibration(NamedTuple):
    """The expected calibration error (0-1) and its 95 % interval, over ``samples`` test samples.

    ``chance``: what 95 % of perfectly calibrated networks of the same confidences stay below on so many samples.
    """

    error: float
    low: float
    high: float
    chance: float
    samples: int

    @property
    def told(self) -> bool:
        """Whether it can be told from a perfectly calibrated network."""
        return self.error > self.chance


def confidence_bins(right: np.ndarray, confidence: np.ndarray, bins: int = BINS) -> Bins:
    """Put samples into bins: ``right`` [N] truth values, ``confidence`` [N] in 0-1 (NaN counts nowhere)."""
    known = np.isfinite(confidence)
    right, confidence = right[known].astype(float), confidence[known].astype(float)
    place = _places(confidence, bins)
    size = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, values, minlength=bins) / size for values in (confidence, right)]
    return Bins(size, *means)


def calibration(right: np.ndarray, confidence: np.ndarray, bins: int = BINS, draws: int = DRAWS) -> Calibration:
    """The expected calibration error of a network's answers, with a bootstrap interval; NaN without samples.

    The error is the mean of |share right - mean confidence| over the bins, weighted by their samples (Naeini, Cooper,
    Hauskrecht 2015). Chance makes it larger than it is, and drawing test sets again does so once more by as much: the
    interval is the basic one, the estimate less what the draws add (Davison and Hinkley 1997, eq. 5.6). It reaches 0
    where right answers drawn by the confidences themselves give as much (consistency, Broecker and Smith 2007).
    The draws have a fixed seed.
    """
    known = np.isfinite(confidence)
    sure, samples = confidence[known].astype(float), int(known.sum())
    if not samples:
        return Calibration(nan, nan, nan, nan, 0)
    gaps, place = right[known].astype(float) - sure, _places(sure, bins)
    error = float(np.abs(np.bincount(place, gaps, minlength=bins)).sum()) / samples
    again, perfect = _drawn(gaps, sure, place, bins, draws)
    (lowest, highest), chance = np.quantile(again, (0.025, 0.975)), float(np.quantile(perfect, 0.95))
    low = max(2 * error - float(highest), 0.0) if error > chance else 0.0
    return Calibration(error, low, min(max(2 * error - float(lowest), error), 1.0), chance, samples)


def _places(confidence: np.ndarray, bins: int) -> np.ndarray:
    return np.asarray(np.clip(np.ceil(confidence * bins).astype(np.int64), 1, bins) - 1)


def _drawn(
    gaps: np.ndarray, sure: np.ndarray, place: np.ndarray, bins: int, draws: int
) -> tuple[np.ndarray, np.ndarray]:
    """The error on so many test sets drawn from these samples, and on as many drawn by the confidences themselves."""
    random, samples = np.random.default_rng(0), len(gaps)
    at_once = max(1, _TOGETHER // samples)
    again, perfect = list[np.ndarray](), list[np.ndarray]()
    for start in range(0, draws, at_once):
        rows = min(at_once, draws - start)
        chosen = random.integers(0, samples, (rows, samples))
        again.append(_errors(gaps[chosen], place[chosen], bins))
        drawn = (random.random((rows, samples)) < sure) - sure
        perfect.append(_errors(drawn, np.broadcast_to(place, drawn.shape), bins))
    return np.concatenate(again), np.concatenate(perfect)


def _errors(gaps: np.ndarray, place: np.ndarray, bins: int) -> np.ndarray:
    """The error of each row of gaps [R, N] whose samples lie in these bins [R, N]."""
    rows, samples = gaps.shape
    cells = place + bins * np.arange(rows)[:, None]
    sums = np.bincount(cells.ravel(), gaps.ravel(), minlength=rows * bins)
    return np.asarray(np.abs(sums.reshape(rows, bins)).sum(1) / samples)
