"""Small merge specs for tests."""

from typing import Any

from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.settings import DataSpec, SoftMergeSettings, SourceSpec

FAST = SoftMergeSettings(granularity="layer", steps=12, evaluate_every=4, batch_size=64)


def merge_spec(*sources: SourceSpec, dataset: str = "moons", **fields: Any) -> MergeSpec:
    return MergeSpec(sources=sources, data=DataSpec(dataset=dataset), **{"settings": FAST, **fields})
