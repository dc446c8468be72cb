"""The federated spec: mistakes are refused before any work, and the shards are known beforehand."""

from typing import Any

import numpy as np
import pytest

from softmerge_core.data.partitions import ShardSettings
from softmerge_core.errors import DataError, NotFoundError, SettingsError
from softmerge_core.experiments import experiment, parse_spec
from softmerge_core.experiments.federated.spec import FederatedSpec, counts_of
from softmerge_core.federated.settings import FederatedRun
from softmerge_core.settings import DataSpec
from tests.experiments.federated.specs import spec


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (spec(malicious=4), SettingsError, "fewer than the 4 clients"),
        (spec(participation=0.1), SettingsError, "participation: expected a share that leaves one of 4"),
        (spec(clients=150), SettingsError, "150 clients for 200 samples"),
        (spec(server_samples=240), SettingsError, "Server samples: expected fewer than the 240"),
        (spec(shards=ShardSettings(kind="classes", classes=3)), SettingsError, "at most the 2"),
        (spec(()), SettingsError, "1 to 16"),
        (spec((FederatedRun(), FederatedRun())), SettingsError, "'fedavg' 2 times"),
        (spec((FederatedRun(algorithm="fednone"),)), NotFoundError, "fedavg, fedprox"),
        (spec((FederatedRun(settings={"mu": 1}),)), SettingsError, "settings of FedAvg"),
        (spec().model_copy(update={"network": "nonet"}), NotFoundError, "nonet"),
        (spec().model_copy(update={"network": "cnn1d"}), DataError, "sequence"),
        (spec().model_copy(update={"data": DataSpec(dataset="none")}), NotFoundError, "none"),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(wrong: FederatedSpec, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        experiment("federated").check(wrong)


@pytest.mark.parametrize(
    "values", [{"shards": {"alpha": 0}}, {"settings": {"clients": 0}}, {"runs": [{"aggregation": "x"}]}]
)
def test_numbers_out_of_range_are_refused_by_name(values: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(values))):
        parse_spec({"kind": "federated", **values})


def test_shards_are_known_before_anything_is_run() -> None:
    counts = np.array(counts_of(spec(clients=5)))
    assert counts.shape == (5, 2)
    assert counts.sum() == 200
    assert (counts.sum(1) == 40).all()
