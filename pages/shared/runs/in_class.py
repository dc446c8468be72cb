"""The classes of this server, and what a run has to do with the one in which it was started: who may stop it."""

import contextlib
from functools import cache
from pathlib import Path

from pages.shared.runs.services import run_store, runner, started_here, visitor
from softmerge_core.classroom import Classes, Record
from softmerge_core.classroom.record import MOST_RUNS
from softmerge_core.errors import ClassError, RunError, SoftMergeError
from softmerge_core.home import home
from softmerge_core.runs.labels import Labels

NOT_STOPPED = "only whoever started it, the teacher of its class, or the owner of this server can stop it"


@cache
def _classes(folder: str) -> Classes:
    return Classes(Path(folder) / "classes")


def classes() -> Classes:
    """The classes in the reader's home folder."""
    return _classes(str(home()))


def class_of_reader() -> Record | None:
    """The class that this visitor joined last, in which their runs count; None where there is none."""
    return classes().joined_by(visitor())


def class_tag(code: str) -> str:
    """The tag of the runs that were started in a class."""
    return f"class {code}"


def check_room() -> None:
    """Raise ClassError where this visitor's class has no room for one more run."""
    found = class_of_reader()
    if found is not None and len(found.runs) >= MOST_RUNS:
        raise ClassError(f"class {found.code}: expected at most {MOST_RUNS:,} runs, and they were started")


def note_start(run_id: str, *, tagged: bool = True) -> None:
    """Note a run that this visitor has started in their class, if they are in one; ``tagged``: with its tag."""
    found = class_of_reader()
    if found is None:
        return
    with contextlib.suppress(SoftMergeError):  # the class ended, or the disk is full: the run goes on all the same
        classes().add_run(found.code, visitor(), run_id)
        if tagged:
            run_store().label(run_id, Labels("", (class_tag(found.code),)))


def may_stop(run_id: str) -> bool:
    """Whether this visitor may stop the run: they started it, teach its class, or own the server."""
    return started_here(run_id) or classes().may_stop(run_id, visitor())


def stop_run(run_id: str) -> None:
    """Stop a run; raises RunError where this visitor may not, and whatever ``Runner.stop`` does."""
    if not may_stop(run_id):
        raise RunError(f"run {run_id!r}: {NOT_STOPPED}")
    runner().stop(run_id)
