"""Soft merging, watched against the plain average, the best source and the ensemble."""

from softmerge_core.experiments.base import Experiment
from softmerge_core.experiments.merge.comparable import alike, outcome
from softmerge_core.experiments.merge.result import MergeResult
from softmerge_core.experiments.merge.spec import MergeSpec, check, example, small
from softmerge_core.merging.changes import NewSettings

EXPERIMENT = Experiment(
    "merge",
    "Soft merge",
    MergeSpec,
    f"{__name__}.run",
    check,
    example,
    small,
    MergeResult,
    outcome=outcome,
    alike=alike,
    changes=NewSettings,
)
