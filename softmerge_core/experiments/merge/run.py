"""The work of a merge run."""

from softmerge_core.experiments.merge.spec import run

__all__ = ["run"]
