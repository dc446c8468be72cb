"""Runs: one folder each, one writer, many readers; started on Dask workers."""

from softmerge_core.runs.runner import Runner
from softmerge_core.runs.status import Status
from softmerge_core.runs.store import Quarantined, RunStore, RunSummary, RunView

__all__ = ["Quarantined", "RunStore", "RunSummary", "RunView", "Runner", "Status"]
