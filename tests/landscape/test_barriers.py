"""Barriers and rises against naive loops, and properties they must have."""

import math

from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.landscape.barriers import barrier, largest_rise

VALUES = st.lists(st.floats(-100, 100), min_size=2, max_size=12)


def evenly(count: int) -> list[float]:
    return [index / (count - 1) for index in range(count)]


@given(VALUES)
def test_a_barrier_is_the_largest_height_over_the_line_between_the_ends(values: list[float]) -> None:
    ts, highest = evenly(len(values)), 0.0
    for t, value in zip(ts, values, strict=True):
        highest = max(highest, value - (values[0] + t * (values[-1] - values[0])))
    height, place = barrier(ts, values)
    assert math.isclose(height, highest, abs_tol=1e-9)
    assert place in ts


@given(st.floats(-50, 50), st.floats(-50, 50), st.integers(2, 20))
def test_a_straight_line_has_no_barrier(start: float, slope: float, count: int) -> None:
    height, _ = barrier(evenly(count), [start + slope * t for t in evenly(count)])
    assert 0 <= height < 1e-9


@given(VALUES, st.floats(-50, 50), st.floats(-50, 50))
def test_adding_a_linear_function_changes_no_barrier(values: list[float], start: float, slope: float) -> None:
    ts = evenly(len(values))
    tilted = [value + start + slope * t for t, value in zip(ts, values, strict=True)]
    assert math.isclose(barrier(ts, values)[0], barrier(ts, tilted)[0], abs_tol=1e-9)


@given(VALUES)
def test_the_largest_rise_is_that_of_any_two_points_in_order(values: list[float]) -> None:
    pairs = [values[j] - values[i] for i in range(len(values)) for j in range(i, len(values))]
    assert largest_rise(values) == max(pairs)
    assert largest_rise(sorted(values, reverse=True)) == 0


def test_where_a_value_is_not_finite_the_barrier_is_infinite_there() -> None:
    assert barrier([0, 0.5, 1], [0.0, math.nan, 0.0]) == (math.inf, 0.5)
    assert largest_rise([1.0, math.inf]) == math.inf
