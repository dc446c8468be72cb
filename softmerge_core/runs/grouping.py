"""The runs of a sweep, handed to workers in groups; what a worker leaves undone when it dies, others begin again."""

import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

from softmerge_core.errors import SoftMergeError
from softmerge_core.runs import files
from softmerge_core.runs.ledger import Ledger
from softmerge_core.runs.status import DIED
from softmerge_core.runs.store import requested
from softmerge_core.runs.sweeps import groups
from softmerge_core.runs.worker import execute_together

MOST_DEATHS = 4  # of workers under one run: then it is what kills them
Later = Callable[..., object]

logger = logging.getLogger(__name__)


class Grouping:
    """The part of a runner that works through sweeps; ``later`` calls a function in the lane that talks with Dask."""

    def __init__(self, ledger: Ledger, later: Later) -> None:
        self._ledger, self._store, self._later = ledger, ledger.store, later
        self._deaths: dict[str, int] = {}

    def send(self, client: Any, run_ids: Sequence[str], workers: int) -> None:
        """Hand over waiting runs, those that can go side by side together, so that all ``workers`` are busy.

        A group has the turn of the first run that it would begin with if they were begun one after another, so that
        it counts as many runs against those of others.
        """
        waiting = [run_id for run_id in run_ids if run_id in self._ledger.futures]
        specs = [self._store.read(run_id, 2**62).spec for run_id in waiting]
        turns, before = sorted(self._ledger.turn([run_id]) for run_id in waiting), 0
        for places in groups(specs, workers):
            self._send(client, [waiting[place] for place in places], turns[before])
            before += len(places)

    def _send(self, client: Any, run_ids: Sequence[str], turn: int) -> None:
        attempts = [files.read_attempt(self._store.folder(run_id) / files.QUEUE) for run_id in run_ids]
        folders = [str(self._store.folder(run_id)) for run_id in run_ids]
        key = f"{run_ids[0]}-{attempts[0]}-of-{len(run_ids)}"
        work = list(zip(folders, attempts, strict=True))
        future = client.submit(execute_together, work, key=key, pure=False, retries=0, priority=-turn)
        self._ledger.futures |= dict.fromkeys(run_ids, future)
        future.add_done_callback(lambda done: self._done(client, list(zip(run_ids, attempts, strict=True)), done))

    def _done(self, client: Any, members: Sequence[tuple[str, int]], future: Any) -> None:
        """Forget what has ended; what has not, although its worker is done with it or died, is begun again."""
        if future.status == "error":
            logger.warning("A group of %d runs was cut short: %s", len(members), future.exception())
        left = [each for each in members if self._is_left(each[0], future)]
        for run_id, attempt in left:
            if self._deaths.get(run_id, 0) >= MOST_DEATHS:
                self._ledger.drop(run_id, attempt, DIED)
        again = [run_id for run_id, _ in left if self._deaths.get(run_id, 0) < MOST_DEATHS]
        with contextlib.suppress(RuntimeError):  # the runner was closed, and has said so of each of them
            self._later(self._again, client, again)

    def _is_left(self, run_id: str, future: Any) -> bool:
        """Whether a run was left undone; one that is not is forgotten, unless it was handed over anew meanwhile."""
        if run_id not in self._ledger.futures or self._ledger.futures[run_id] is not future:
            return False
        with contextlib.suppress(SoftMergeError):
            stopped = requested(self._store.folder(run_id) / files.REQUEST) == "stop"
            undone = self._store.status(run_id).status in ("waiting", "interrupted")  # else it has ended, or is on
            if undone and not stopped and future.status != "cancelled":
                return True
        self._ledger.forget(run_id)
        return False

    def _again(self, client: Any, run_ids: Sequence[str]) -> None:
        """Begin runs again, in two groups: if one of them kills its worker, half of the others are rid of it."""
        kept = [run_id for run_id in run_ids if self._entered(run_id)]
        half = (len(kept) + 1) // 2
        for part in filter(None, (kept[:half], kept[half:])):
            self._send(client, part, self._ledger.turn(part))

    def _entered(self, run_id: str) -> bool:
        """Let a run wait once more, at its old turn; False where it was deleted, or stopped meanwhile."""
        if run_id not in self._ledger.futures:
            return False
        self._deaths[run_id] = self._deaths.get(run_id, 0) + 1
        try:
            self._ledger.enter(run_id, "")
        except SoftMergeError as error:
            logger.warning("Run %s cannot be begun again: %s", run_id, error)
            self._ledger.forget(run_id)
            return False
        return True
