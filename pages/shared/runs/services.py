"""What all sessions of this server share: the store of runs and the runner with its warm workers."""

import os
import threading
from functools import cache
from pathlib import Path

from pages.shared.runs.reader import LIVE
from softmerge_core.errors import SoftMergeError
from softmerge_core.home import home
from softmerge_core.runs import Runner, RunStore, RunView
from softmerge_core.runs.store import read_spec

SCHEDULER = "DASK_SCHEDULER_ADDRESS"  # Dask's own name for the scheduler to use instead of workers of our own
_ONE = threading.Lock()  # two first readers at once must not start two sets of workers
RECENT = 50  # runs looked through for one that is live


@cache
def _store(folder: str) -> RunStore:
    return RunStore(Path(folder) / "runs")


@cache
def _runner(folder: str, scheduler: str | None) -> Runner:
    return Runner(_store(folder), scheduler)


def run_store() -> RunStore:
    """The runs in the reader's home folder."""
    return _store(str(home()))


def runner() -> Runner:
    """The one runner of this server; the first call starts its workers without waiting for them."""
    with _ONE:
        return _runner(str(home()), os.environ.get(SCHEDULER) or None)


def warm_up() -> None:
    """Start what the first run will need."""
    runner()


def newest_runs(kind: str, most: int) -> list[str]:
    """The ids of the newest readable runs of a kind: their names begin with the time they were made."""
    store = run_store()
    found: list[str] = []
    names = sorted((path.name for path in store.root.iterdir()), reverse=True) if store.root.is_dir() else []
    for name in names:
        if len(found) == most:
            break
        try:
            if read_spec(store.folder(name)).kind == kind:
                found.append(name)
        except SoftMergeError:
            continue  # no run, or a damaged one: the store sets those apart
    return found


def newest_live(kind: str) -> str | None:
    """The newest run of a kind that is not at its end, looked for among the newest."""
    store = run_store()
    for run_id in newest_runs(kind, RECENT):
        if store.status(run_id).status in LIVE:
            return run_id
    return None


def first_example(kind: str) -> str | None:
    """The first recorded run of a kind that ships with the project."""
    return next((run.id for run in run_store().examples() if run.kind == kind), None)


def is_live(view: RunView | None) -> bool:
    """Whether the run may still change by itself."""
    return view is not None and view.status in LIVE
