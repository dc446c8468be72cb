"""The work of a train run."""

from softmerge_core.experiments.train.spec import run

__all__ = ["run"]
