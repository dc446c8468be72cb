"""Sources trained without and with weight scope alignment."""

from softmerge_core.experiments.base import Experiment
from softmerge_core.experiments.scope.comparable import measure, outcome
from softmerge_core.experiments.scope.spec import ScopeSpec, check, example, small

EXPERIMENT = Experiment(
    "scope",
    "Weight scope",
    ScopeSpec,
    f"{__name__}.run",
    check,
    example,
    small,
    outcome=outcome,
    measure=measure,
    numbers=f"{__name__}.tables",
)
