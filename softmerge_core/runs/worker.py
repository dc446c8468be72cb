"""The work of a Dask worker: one run at a time."""

import sys
from pathlib import Path

from softmerge_core.errors import RunError
from softmerge_core.runs.status import Status
from softmerge_core.runs.warm import keep_freed_memory, one_thread
from softmerge_core.runs.writer import conduct


def execute(folder: str, attempt: int) -> Status:
    """Make one attempt at the run in ``folder``; returns how it ended. Raises RunError where there is no folder."""
    from softmerge_core.runs.spread import over_workers  # imports Dask, which only a worker has loaded already

    path = Path(folder)
    if not path.is_dir():
        raise RunError(f"run {path.name!r} is not on this worker's disk: workers need the server's run folder")
    one_thread()
    keep_freed_memory()
    return conduct(path, attempt, spread=over_workers)


def worker_devices() -> tuple[str, ...]:
    """Return what this worker can compute on; nothing where it is not warm, for that would take seconds."""
    if "torch" not in sys.modules:
        return ()
    from softmerge_core.checks import devices

    return devices()
