"""The work of a federated run."""

from softmerge_core.experiments.federated.spec import run

__all__ = ["run"]
