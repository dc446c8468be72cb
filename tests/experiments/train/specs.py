"""Small training specs for tests."""

from typing import Any

from softmerge_core.experiments.train.spec import TrainSpec
from softmerge_core.settings import SourceSpec, TrainSettings

QUICK = TrainSettings(epochs=4, batch_size=50, learning_rate=0.01, seed=3)
START = SourceSpec(model="moons-mlp-label-noise/source-1")


def spec(**changes: Any) -> TrainSpec:
    return TrainSpec(**{"dataset": "moons", "network": "mlp", "settings": QUICK, **changes})
