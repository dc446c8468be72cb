"""Normality: the moments and the gap against scipy, and the words against what they describe."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from softmerge_core.scope.normality import Normality, in_words, normality


def draw(name: str, count: int = 4000) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    gaussian = torch.randn(count, generator=generator, dtype=torch.float64)
    uniform = torch.rand(count, generator=generator, dtype=torch.float64)
    return {"gaussian": gaussian, "uniform": uniform, "cubed": gaussian**3, "exponential": -torch.log(uniform)}[name]


@pytest.mark.parametrize("name", ["gaussian", "uniform", "cubed", "exponential"])
def test_it_agrees_with_scipy(name: str) -> None:
    values = draw(name, 300)
    found, x = normality(values.view(10, 30)), values.numpy()
    assert found.skewness == pytest.approx(stats.skew(x))
    assert found.kurtosis == pytest.approx(stats.kurtosis(x))
    expected = stats.kstest(x, "norm", args=(x.mean(), x.std())).statistic
    assert found.gap == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gaussian", "close to Gaussian (skewness "),
        ("uniform", "flat, no tails (skewness "),
        ("cubed", "heavy tails"),
        ("exponential", "heavy tails, longer tail on the right (skewness 2"),
    ],
)
def test_in_words(name: str, said: str) -> None:
    assert in_words(normality(draw(name))).startswith(said)


def test_minus_nothing_is_nothing() -> None:
    assert in_words(Normality(-0.01, -0.04, 0.01)) == "close to Gaussian (skewness 0.0, excess kurtosis 0.0)"
    assert in_words(Normality(-0.7, -1.2, 0.2)) == (
        "flat, no tails, longer tail on the left (skewness −0.7, excess kurtosis −1.2)"
    )
    assert in_words(Normality(0.1, 0.1, 0.1)).startswith("roughly Gaussian")


@given(st.floats(-100, 100), st.floats(0.01, 100))
def test_neither_place_nor_scale_matter(place: float, scale: float) -> None:
    values = draw("exponential", 50)
    found, moved = normality(values), normality(place + scale * values)
    for name in ("skewness", "kurtosis", "gap"):
        assert getattr(moved, name) == pytest.approx(getattr(found, name), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("count", [1, 5])
def test_values_all_alike_are_told_apart_from_a_gaussian(count: int) -> None:
    found = normality(torch.full((count,), 0.25))
    assert found == Normality(0.0, 0.0, 0.5)
    assert not math.isnan(found.gap)
