"""Which ways of merging survive malicious sources."""

from softmerge_core.experiments.base import Experiment
from softmerge_core.experiments.robustness.comparable import measure, outcome
from softmerge_core.experiments.robustness.spec import RobustnessSpec, check, example, small

EXPERIMENT = Experiment(
    "robustness",
    "Malicious sources",
    RobustnessSpec,
    f"{__name__}.run",
    check,
    example,
    small,
    outcome=outcome,
    measure=measure,
    numbers=f"{__name__}.tables",
)
