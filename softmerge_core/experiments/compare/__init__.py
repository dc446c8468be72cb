"""Every way to merge the same sources, side by side."""

from softmerge_core.experiments.base import Experiment
from softmerge_core.experiments.compare.comparable import measure, outcome
from softmerge_core.experiments.compare.result import CompareResult
from softmerge_core.experiments.compare.spec import CompareSpec, check, example, small

EXPERIMENT = Experiment(
    "compare", "Compare methods", CompareSpec, f"{__name__}.run", check, example, small, CompareResult, outcome, measure
)
