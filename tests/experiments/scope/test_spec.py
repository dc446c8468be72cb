"""Scope specs: found, kept as JSON, and refused with a sentence before any training."""

import math
from typing import Any

import pytest

from softmerge_core.errors import DataError, NotFoundError, SettingsError, SoftMergeError, SourceError
from softmerge_core.experiments import experiments, parse_spec
from softmerge_core.experiments.scope import EXPERIMENT
from softmerge_core.experiments.scope.spec import ScopeSpec, check, example
from softmerge_core.settings import DataSpec
from tests.experiments.scope.library import TWO, spec


def test_it_is_found_and_its_spec_survives_json() -> None:
    assert experiments()["scope"] is EXPERIMENT
    made = spec(name="x", stages=2)
    assert parse_spec(made.model_dump(mode="json")) == made
    check(example())


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"sources": TWO[:1]}, SourceError, "expected two or more sources, got 1"),
        ({"sources": TWO * 4}, SourceError, "expected at most 6 sources, got 8"),
        ({"target": "source", "target_source": 2}, SettingsError, "Chosen source: expected one .* 0 to 1, got 2"),
        ({"data": DataSpec(dataset="nothing")}, NotFoundError, "unknown data set 'nothing'"),
        ({"network": "nothing"}, NotFoundError, "unknown network 'nothing'"),
        ({"network": "vgg"}, DataError, "'vgg': expected image inputs, got vector"),
        ({"data": DataSpec(dataset="moons", train_samples=0)}, DataError, "no training data"),
    ],
)
def test_what_is_wrong_is_told_before_training(
    changes: dict[str, Any], error: type[SoftMergeError], message: str
) -> None:
    with pytest.raises(error, match=message):
        check(spec(**changes))


@pytest.mark.parametrize(
    "changes",
    [{"refuse_every": 0}, {"stages": 0}, {"weight": -1}, {"weight": math.nan}, {"target": "best"}, {"direction": "up"}],
)
def test_a_value_out_of_its_range_is_named(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=ScopeSpec.model_fields[next(iter(changes))].title or next(iter(changes))):
        parse_spec({"kind": "scope", **changes})
