"""The federated experiment: clients that learn together without showing each other their data."""

from softmerge_core.experiments.base import Experiment
from softmerge_core.experiments.federated.comparable import outcome
from softmerge_core.experiments.federated.spec import FederatedSpec, check, example, small

EXPERIMENT = Experiment(
    "federated",
    "Federated learning",
    FederatedSpec,
    f"{__name__}.run",
    check,
    example,
    small,
    outcome=outcome,
    numbers=f"{__name__}.tables",
)
