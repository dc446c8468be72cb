"""The state of a run, derived from its files and from whether a living process holds its lock."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from softmerge_core.errors import RunError
from softmerge_core.runs.files import BEGUN, END, LOCK, PAUSED, QUEUE, attempt_in, is_alive, read_attempt, read_json

Status = Literal["waiting", "running", "paused", "finished", "stopped", "failed", "interrupted"]
ENDED: tuple[Status, ...] = ("finished", "stopped", "failed")
RESUMABLE: tuple[Status, ...] = ("interrupted", "failed", "stopped")
DIED = "The process running it ended before the run did: killed, or out of memory. It can be resumed."
LONGEST = 2000  # letters of a message; nobody reads more
NEVER_BEGAN = "The server ended before this run began. It can be resumed."


@dataclass(frozen=True)
class State:
    """The state of a run; ``message`` gives the reason in one sentence for the reader, or is empty."""

    status: Status
    message: str = ""


def is_held(folder: Path) -> bool:
    """Whether a living process holds the run's writer lock. The test never gets in the way of a writer."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


def derive(folder: Path) -> State:
    """Return the state of the run in ``folder``; raises RunError when one of its small files is damaged.

    The order matters: a writer writes BEGUN after taking the lock and END before letting go of it.
    """
    queue = read_json(folder / QUEUE) or {}
    attempt = attempt_in(queue)
    if ended := _ended(folder, attempt):
        return ended
    begun = read_attempt(folder / BEGUN)
    if is_held(folder):
        return State("paused" if (folder / PAUSED).exists() else "running")
    return _ended(folder, attempt) or _unheld(queue, attempt, begun)


def _unheld(queue: dict[str, Any], attempt: int, begun: int) -> State:
    """Return the state of a run that has not ended and that no process writes."""
    if dropped := queue.get("dropped"):
        return State("interrupted", str(dropped)[:LONGEST])
    if begun and begun >= attempt:
        return State("interrupted", DIED)
    if queue and not is_alive(queue):
        return State("interrupted", NEVER_BEGAN)
    return State("waiting")


def _ended(folder: Path, attempt: int) -> State | None:
    """Return the state in which the newest attempt ended, or None; the end of an earlier attempt does not count."""
    end = read_json(folder / END)
    if end is None or attempt_in(end) < attempt:
        return None
    if end.get("status") not in ENDED:
        raise RunError(f"{END} of run {folder.name!r}: unknown status {str(end.get('status'))[:40]!r}")
    return State(end["status"], str(end.get("error") or end.get("message") or "")[:LONGEST])
