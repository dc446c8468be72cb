"""The work of a connectivity run."""

from softmerge_core.experiments.connectivity.spec import run

__all__ = ["run"]
