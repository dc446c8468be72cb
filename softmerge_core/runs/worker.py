"""The work of a Dask worker: one run at a time, or several side by side."""

import sys
from collections.abc import Sequence
from pathlib import Path

from softmerge_core.allocator import keep_freed_memory
from softmerge_core.errors import RunError
from softmerge_core.runs.status import Status
from softmerge_core.runs.together import conduct_together
from softmerge_core.runs.warm import one_thread
from softmerge_core.runs.writer import conduct


def execute(folder: str, attempt: int) -> Status:
    """Make one attempt at the run in ``folder``; returns how it ended. Raises RunError where there is no folder."""
    from softmerge_core.runs.spread import over_workers  # imports Dask, which only a worker has loaded already

    return conduct(_ready(folder), attempt, spread=over_workers)


def execute_together(attempts: Sequence[tuple[str, int]]) -> None:
    """Make these attempts at runs that are alike, each given by its folder and number; a deleted run is left out.

    Raises RunError where none of the folders is there.
    """
    from softmerge_core.runs.spread import over_workers

    there = [each for each in attempts if Path(each[0]).is_dir()] or attempts[:1]
    conduct_together([(_ready(folder), attempt) for folder, attempt in there], spread=over_workers)


def _ready(folder: str) -> Path:
    path = Path(folder)
    if not path.is_dir():
        raise RunError(f"run {path.name!r} is not on this worker's disk: workers need the server's run folder")
    one_thread()
    keep_freed_memory()
    return path


def worker_devices() -> tuple[str, ...]:
    """Return what this worker can compute on; nothing where it is not warm, for that would take seconds."""
    if "torch" not in sys.modules:
        return ()
    from softmerge_core.checks import devices

    return devices()
