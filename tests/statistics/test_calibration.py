"""Calibration: by bins as a plain loop has them, and an interval that holds what is true as often as it says."""

import numpy as np
import pytest
import torch

from softmerge_core.evaluation import calibration_error
from softmerge_core.statistics.calibration import BINS, calibration, confidence_bins


def answers(samples: int, seed: int = 0, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """(right, confidence) of a network that says ``shift`` more than it should."""
    random = np.random.default_rng(seed)
    confidence = random.beta(4, 1.5, samples)
    return random.random(samples) < np.clip(confidence - shift, 0, 1), confidence


def test_bins_are_those_of_a_plain_loop_open_below_and_closed_above() -> None:
    right, confidence = answers(500)
    confidence[:4] = 0.0, 1.0, 2 / BINS, np.nan
    found = confidence_bins(right, confidence)
    for place in range(BINS):
        low = place / BINS if place else -1.0
        inside = [i for i, value in enumerate(confidence) if low < value <= (place + 1) / BINS]
        assert found.size[place] == len(inside)
        if inside:
            assert found.right[place] == pytest.approx(np.mean([right[i] for i in inside]))
            assert found.confidence[place] == pytest.approx(np.mean([confidence[i] for i in inside]))
        else:
            assert np.isnan(found.right[place])
    assert found.size.sum() == 499


def test_the_error_is_the_one_that_other_pages_tell_of_the_same_outputs() -> None:
    logits, labels = torch.randn(400, 5, generator=torch.Generator().manual_seed(1)) * 2, torch.arange(400) % 5
    confidence, decided = logits.double().softmax(1).max(1)
    found = calibration((decided == labels).numpy(), confidence.numpy())
    assert found.error == pytest.approx(calibration_error(logits, labels), abs=1e-12)
    assert found.low <= found.error <= found.high
    assert found.samples == 400
    assert found == calibration((decided == labels).numpy(), confidence.numpy())  # the draws are always the same


def test_a_network_that_says_too_much_is_told_from_one_that_is_calibrated() -> None:
    honest, boastful = calibration(*answers(1500)), calibration(*answers(1500, shift=0.1))
    assert not honest.told
    assert honest.low == 0
    assert boastful.told
    assert 0.05 < boastful.low < 0.1 < boastful.high < 0.13


def test_the_interval_holds_the_true_error_of_most_test_sets() -> None:
    held = [found.low <= 0.1 <= found.high for seed in range(40) for found in [calibration(*answers(600, seed, 0.1))]]
    assert sum(held) >= 32  # about 90 % do


def test_without_samples_nothing_is_claimed() -> None:
    for right, confidence in ((np.zeros(0, bool), np.zeros(0)), (np.ones(3, bool), np.full(3, np.nan))):
        found = calibration(right, confidence)
        assert np.isnan([found.error, found.low, found.high]).all()
        assert (found.samples, found.told) == (0, False)
