"""What lies between trained networks: paths, planes, curves."""

from softmerge_core.experiments.base import Experiment
from softmerge_core.experiments.connectivity.comparable import measure, outcome
from softmerge_core.experiments.connectivity.spec import ConnectivitySpec, check, example, small

EXPERIMENT = Experiment(
    "connectivity",
    "Paths between networks",
    ConnectivitySpec,
    f"{__name__}.run",
    check,
    example,
    small,
    outcome=outcome,
    measure=measure,
    numbers=f"{__name__}.tables",
)
