"""One source, trained and kept in the library."""

from softmerge_core.experiments.base import Experiment
from softmerge_core.experiments.train.comparable import outcome
from softmerge_core.experiments.train.spec import TrainSpec, check, example, small

EXPERIMENT = Experiment("train", "Train a source", TrainSpec, f"{__name__}.run", check, example, small, outcome=outcome)
