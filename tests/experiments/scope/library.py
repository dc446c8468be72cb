"""A small scope spec, shared by the tests of this folder."""

from typing import Any

from softmerge_core.experiments.scope.spec import ScopeSpec, SourceTraining
from softmerge_core.settings import DataSpec

TWO = (SourceTraining(), SourceTraining(weight_decay=0.05, seed=1))


def spec(**changes: Any) -> ScopeSpec:
    """Two small networks on moons, with ``changes``."""
    data = DataSpec(dataset="moons", train_samples=200)
    usual = {"data": data, "network": "mlp", "sources": TWO, "epochs": 3, "schedule": "constant", "seed": 0}
    return ScopeSpec(**{**usual, **changes})
