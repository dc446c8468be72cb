"""The work of a compare run."""

from softmerge_core.experiments.compare.spec import run

__all__ = ["run"]
