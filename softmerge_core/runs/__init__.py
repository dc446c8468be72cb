"""Runs on Dask workers. Each run has a folder of its own, which one process writes and many may read."""

from softmerge_core.runs.runner import Runner
from softmerge_core.runs.status import Status
from softmerge_core.runs.store import Quarantined, RunStore, RunSummary, RunView

__all__ = ["Quarantined", "RunStore", "RunSummary", "RunView", "Runner", "Status"]
