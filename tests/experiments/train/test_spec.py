"""The training spec: found by its kind, plain JSON, and refused before any training where it cannot be run."""

from typing import Any

import pytest

from softmerge_core.errors import DataError, NotFoundError, SoftMergeError, SourceError
from softmerge_core.experiments import experiments, parse_spec
from softmerge_core.experiments.train import EXPERIMENT
from softmerge_core.experiments.train.spec import check
from softmerge_core.settings import SourceSpec, TrainSettings
from tests.experiments.train.specs import START, spec


def test_it_is_found_and_its_spec_survives_json() -> None:
    assert experiments()["train"] is EXPERIMENT
    made = spec(name="x", start_from=START)
    assert parse_spec(made.model_dump(mode="json")) == made


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"dataset": "nothing"}, NotFoundError, "unknown data set 'nothing'"),
        ({"dataset": "nothing.npz"}, DataError, "found none"),
        ({"network": "nothing"}, NotFoundError, "unknown network 'nothing'"),
        ({"network": "vgg"}, DataError, "'vgg': expected image inputs, got vector"),
        ({"settings": TrainSettings(classes=(2,))}, DataError, "0 to 1, got 2"),
        ({"start_from": SourceSpec(model="nothing/1")}, NotFoundError, "unknown model 'nothing/1'"),
        ({"start_from": SourceSpec(model="spirals-mlp-independent/source-1")}, SourceError, "expected network"),
        ({"start_from": SourceSpec(model="library/../../x")}, SoftMergeError, "model name"),
    ],
)
def test_what_is_wrong_is_told_before_training(
    changes: dict[str, Any], error: type[SoftMergeError], message: str
) -> None:
    with pytest.raises(error, match=message):
        check(spec(**changes))
