"""Small federated specs for tests."""

from collections.abc import Sequence
from typing import Any

from softmerge_core.data.partitions import ShardSettings
from softmerge_core.experiments.federated.spec import FederatedSpec
from softmerge_core.federated.settings import FederatedRun, FederationSettings
from softmerge_core.settings import DataSpec

SMALL = {"clients": 4, "rounds": 3, "local_epochs": 1, "server_samples": 40, "learning_rate": 0.1, "merge_steps": 4}
RUNS = (FederatedRun(), FederatedRun(scope=True), FederatedRun(algorithm="scaffold", aggregation="soft"))


def spec(runs: Sequence[FederatedRun] = RUNS, *, shards: ShardSettings | None = None, **fields: Any) -> FederatedSpec:
    return FederatedSpec(
        data=DataSpec(dataset="moons", train_samples=240),
        network="mlp",
        shards=shards or ShardSettings(alpha=0.5),
        settings=FederationSettings.model_validate({**SMALL, **fields}),
        runs=tuple(runs),
    )
