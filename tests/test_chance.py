"""Standard errors and intervals against textbook values."""

import math

import pytest

from softmerge_core.chance import interval, standard_error


def test_standard_error_is_that_of_two_independent_samples() -> None:
    assert standard_error(0.5, 0.5, 200) == pytest.approx(0.05)
    assert standard_error(1.0, 1.0, 10) == 0


def test_the_interval_is_students() -> None:
    found = interval([0.5, 0.6, 0.7])
    # 4.302653: the 97.5 % quantile of Student's t with two degrees of freedom
    assert found["mean"] == pytest.approx(0.6)
    assert found["half"] == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-6)
    assert found["values"] == [0.5, 0.6, 0.7]


def test_a_single_value_has_no_interval() -> None:
    assert interval([0.5]) == {"mean": 0.5, "half": None, "values": [0.5]}


def test_no_interval_is_claimed_of_what_is_not_finite() -> None:
    assert interval([0.5, math.inf])["half"] is None
    assert interval([0.5, math.nan])["half"] is None
