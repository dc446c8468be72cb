"""The work of a scope run."""

from softmerge_core.experiments.scope.spec import run

__all__ = ["run"]
