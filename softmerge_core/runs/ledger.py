"""The books of a runner: which runs it has handed over, to which future, at which attempt, and whose turn they have."""

import contextlib
import logging
import threading
from collections.abc import Sequence
from typing import Any

from softmerge_core.errors import SoftMergeError
from softmerge_core.runs import files
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.turns import Turns

logger = logging.getLogger(__name__)


class Ledger:
    """``futures``: of every run that waits or is worked on here, what it was handed over as, None before it was."""

    def __init__(self, store: RunStore) -> None:
        self.store, self.turns = store, Turns()
        self.futures: dict[str, Any] = {}
        self._queues = threading.RLock()  # both callers and Dask's callbacks write queue files

    def enter(self, run_id: str, owner: str) -> int:
        """Record that the run waits for a worker of this server; returns the number of the attempt to come."""
        folder = self.store.folder(run_id)
        with self._queues, files.writing(run_id):
            attempt = 1 + max(files.read_attempt(folder / name) for name in (files.BEGUN, files.QUEUE))
            (folder / files.REQUEST).unlink(missing_ok=True)
            files.write_json(folder / files.QUEUE, {"attempt": attempt, **files.this_process()}, durable=False)
            self.futures[run_id] = None
            self.turns.enter(run_id, owner)
        if attempt > 1:
            logger.info("Run %s goes on: attempt %d", run_id, attempt)
        return attempt

    def turn(self, run_ids: Sequence[str]) -> int:
        """The earliest turn that one of these runs has."""
        return min(self.turns.enter(run_id, "") for run_id in run_ids)

    def forget(self, run_id: str) -> Any:
        """Let go of a run on which nobody works any more; returns its future, if nobody else goes by that one."""
        self.turns.leave(run_id)
        future = self.futures.pop(run_id, None)
        return None if future in list(self.futures.values()) else future

    def drop(self, run_id: str, attempt: int | None, reason: str) -> None:
        """Record in the queue file that nobody works on this attempt (None: the newest) at the run any more."""
        try:
            with self._queues:
                path = self.store.folder(run_id) / files.QUEUE
                queue = files.read_json(path) or {}
                if attempt in (None, queue.get("attempt")):  # otherwise the run has been submitted again meanwhile
                    self.forget(run_id)
                    files.write_json(path, {**queue, "dropped": reason}, durable=False)
        except (SoftMergeError, OSError) as error:  # a full disk, a deleted run
            logger.warning("Run %s: could not record that nobody works on it (%s)", run_id, error)

    def begun(self, run_id: str) -> bool:
        """Whether a run no longer waits."""
        with contextlib.suppress(SoftMergeError):
            return self.store.status(run_id).status != "waiting"
        return True
