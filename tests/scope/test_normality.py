"""Normality: the moments against their definition, the gap against scipy."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from softmerge_core.scope.normality import Normality, normality


def draw(name: str, count: int = 4000) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    gaussian = torch.randn(count, generator=generator, dtype=torch.float64)
    uniform = torch.rand(count, generator=generator, dtype=torch.float64)
    return {"gaussian": gaussian, "uniform": uniform, "cubed": gaussian**3, "exponential": -torch.log(uniform)}[name]


@pytest.mark.parametrize("name", ["gaussian", "uniform", "cubed", "exponential"])
def test_it_agrees_with_the_definitions(name: str) -> None:
    values = draw(name, 300)
    found, x = normality(values.view(10, 30)), values.numpy()
    z = (x - x.mean()) / x.std()
    assert found.skewness == pytest.approx((z**3).mean())
    assert found.kurtosis == pytest.approx((z**4).mean() - 3)
    expected = stats.kstest(x, "norm", args=(x.mean(), x.std())).statistic
    assert found.gap == pytest.approx(expected)


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
