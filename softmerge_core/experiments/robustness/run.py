"""The work of a robustness run."""

from softmerge_core.experiments.robustness.spec import run

__all__ = ["run"]
