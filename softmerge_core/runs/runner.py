"""Starts runs on Dask workers and steers them; the state of a run is read from its folder, never from here."""

import atexit
import contextlib
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from filelock import FileLock, Timeout

from softmerge_core.devices import check_device
from softmerge_core.errors import RunError, SoftMergeError
from softmerge_core.experiments import Spec, experiment
from softmerge_core.experiments.sweeping.spec import Sweep
from softmerge_core.runs import files
from softmerge_core.runs.cluster import WARM, WORKERS, check_scheduler, connect, grow, start_cluster
from softmerge_core.runs.grouping import Grouping
from softmerge_core.runs.ledger import Ledger
from softmerge_core.runs.status import DIED, RESUMABLE
from softmerge_core.runs.steering import checked_change
from softmerge_core.runs.store import RunStore, RunSummary
from softmerge_core.runs.sweeps import KeptSweep, create_sweep
from softmerge_core.runs.warm import warm_up
from softmerge_core.runs.worker import execute, worker_devices

CONNECT = 15  # seconds to wait for a scheduler
MOST_DEATHS = 5  # of workers before a run begins; after that something is wrong with the workers
CLOSED = "The server was closed before this run ended. It can be resumed."

logger = logging.getLogger(__name__)


class Runner:
    """Runs experiments on the Dask cluster at the address ``scheduler``, or on one of its own.

    Its own cluster starts in the background, and its workers first import the modules named in ``preload``, which by
    default get everything ready that a run needs. The workers of a scheduler given by address need this package and
    the folder of the runs. Only ``close`` waits.
    """

    def __init__(self, store: RunStore, scheduler: str | None = None, *, preload: Sequence[str] = (WARM,)) -> None:
        self.store = store
        self._ledger = Ledger(store)
        self._cluster: Any = None
        self._client: Any = None
        self._closed = False
        self._problem = ""
        self._devices: tuple[str, ...] = ()
        self._lane = ThreadPoolExecutor(1, thread_name_prefix="runner")  # one thread for all talk with Dask, in order
        self._grouping = Grouping(self._ledger, self._lane.submit)
        self._lane.submit(self._connect, scheduler, tuple(preload))
        atexit.register(self.close)

    def ready(self) -> bool:
        """Whether a warm worker is there, so that a run starts at once."""
        try:
            return self._client is not None and bool(self._client.scheduler_info()["workers"])
        except Exception:  # the connection may be breaking at this moment
            return False

    def devices(self) -> tuple[str, ...]:
        """Return the devices that the workers can compute on; empty until a worker has told."""
        return self._devices

    def compute(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Let a worker do something small that is no run, before the runs that wait; returns what will come of it."""
        answer: Future[Any] = Future()
        try:
            self._lane.submit(self._ask, answer, work, arguments)
        except RuntimeError as error:  # closed
            answer.set_exception(error)
        return answer

    def _ask(self, answer: Future[Any], work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        def take(done: Any) -> None:
            try:
                answer.set_result(done.result())
            except BaseException as error:
                answer.set_exception(error)

        if self._client is None:
            answer.set_exception(RunError(self._problem or CLOSED))
        else:
            self._client.submit(work, *arguments, pure=False, priority=1).add_done_callback(take)

    def submit(self, spec: Spec, run_id: str | None = None, *, owner: str = "") -> str:
        """Check ``spec`` and run it; given the id of an interrupted, failed or stopped run, continue that run.

        Returns the run's id at once; the run waits for its turn (see ``Turns``) among those of other owners. Raises
        SoftMergeError when the check fails, no worker has the device that is asked for, or the run cannot be started.
        """
        experiment(spec.kind).check(spec)
        if self._devices:  # else the worker tells, before it begins
            check_device(spec.device, self._devices)
        if run_id is None:
            return self._begin(spec, owner)
        if self.store.read(run_id).spec != spec:
            raise RunError(f"run {run_id!r} was made with another spec: start a new run instead")
        return self._go_on(run_id, owner)

    def _begin(self, spec: Spec, owner: str) -> str:
        """Create a run and hand it over; where that fails, as on a full disk, no run is left."""
        run_id = self.store.create(spec)
        try:
            return self._enqueue(run_id, owner)
        except SoftMergeError:
            with contextlib.suppress(SoftMergeError):
                self.store.delete(run_id)
            raise

    def submit_sweep(self, sweep: Sweep, *, owner: str = "") -> KeptSweep:
        """Check every point of a sweep and run them all; those of a worker that dies are begun again by another.

        Raises SoftMergeError, and then leaves nothing, where a point cannot be run or the runs cannot be made.
        """
        if self._closed:
            raise RunError("the runner is closed")
        if self._devices:
            check_device(sweep.base.device, self._devices)
        kept = create_sweep(self.store, sweep, owner)
        self._send_sweep(kept.runs, owner)
        return kept

    def resume_sweep(self, kept: KeptSweep, *, owner: str = "") -> None:
        """Let the points of a sweep that were cut short go on, or begin again."""
        there = [run_id for run_id in kept.runs if (self.store.root / run_id).is_dir()]
        self._send_sweep([run_id for run_id in there if self.store.status(run_id).status in RESUMABLE], owner)

    def _send_sweep(self, run_ids: Sequence[str], owner: str) -> None:
        for run_id in run_ids:
            self._ledger.enter(run_id, owner)
        self._lane.submit(self._send_groups, tuple(run_ids))

    def _send_groups(self, run_ids: Sequence[str]) -> None:
        if self._client is None:
            for run_id in run_ids:
                self._ledger.drop(run_id, None, self._problem or CLOSED)
            return
        workers = len(self._client.scheduler_info()["workers"])
        self._grouping.send(self._client, run_ids, max(workers, WORKERS if self._cluster else 1))

    def pause(self, run_id: str) -> None:
        """Ask the run to wait."""
        self.store.request(run_id, "pause")

    def resume(self, run_id: str, *, owner: str = "", change: Mapping[str, Any] | None = None) -> None:
        """Continue a paused run, or one that was interrupted, failed or stopped, from where it was.

        A paused run of a kind that allows it goes on with a ``change`` of its settings, by their names: raises
        SettingsError for values outside their limits, and RunError where the run is not paused or takes none.
        """
        if change:
            self.store.request(run_id, "resume", checked_change(self.store, run_id, change))
        elif self.store.status(run_id).status in RESUMABLE:
            self._go_on(run_id, owner)
        else:
            self.store.request(run_id, "resume")

    def stop(self, run_id: str) -> None:
        """Ask the run to stop and keep its results so far; a run that has not begun is ended here."""
        self.store.request(run_id, "stop")
        if self.store.status(run_id).status == "waiting":
            self._end_waiting(run_id)

    def before(self, run_id: str) -> int | None:
        """Return how many runs will be begun before this one, which waits; None where it does not wait here."""
        return self._ledger.turns.before(run_id, self._ledger.begun)

    def recover(self) -> list[RunSummary]:
        """Return the runs that an earlier server left interrupted; ``resume`` continues any of them."""
        return [run for run in self.store.list() if run.status == "interrupted"]

    def close(self) -> None:
        """End the workers; runs that have not ended become interrupted. Calling it twice is allowed."""
        if self._closed:
            return
        self._closed = True
        atexit.unregister(self.close)
        for run_id in list(self._ledger.futures):
            self._ledger.drop(run_id, None, CLOSED)
        try:
            self._lane.submit(self._disconnect)
        except RuntimeError:  # the interpreter is shutting down and accepts no more work
            self._disconnect()
        self._lane.shutdown(wait=True)

    def _connect(self, scheduler: str | None, preload: tuple[str, ...]) -> None:
        try:
            if scheduler is not None:
                check_scheduler(scheduler)
            else:
                self._cluster = start_cluster(preload)
            self._client = connect(scheduler or self._cluster, CONNECT)
            if scheduler is not None:
                self._client.run(warm_up)
                self._ask_devices()
            else:
                threading.Thread(target=self._grow, daemon=True, name="runner-grow").start()
        except RunError as error:
            logger.error("The workers could not be started: %s", error)
            self._problem = f"The workers could not be started: {error}"
        except Exception as error:
            logger.exception("The workers could not be started")
            self._problem = f"The workers could not be started: {error}"

    def _grow(self) -> None:
        try:
            grow(self._cluster, self._client)
        except Exception:
            if not self._closed:
                logger.warning("Only one worker could be started: runs wait for each other", exc_info=True)
        self._ask_devices()

    def _ask_devices(self) -> None:
        try:
            told: dict[str, tuple[str, ...]] = self._client.run(worker_devices)
            self._devices = tuple(dict.fromkeys(name for names in told.values() for name in names))
        except Exception:
            if not self._closed:
                logger.warning("The workers did not tell their devices", exc_info=True)

    def _disconnect(self) -> None:
        for part in (self._client, self._cluster):
            try:
                if part is not None:
                    part.close()
            except Exception:
                logger.warning("The workers could not be closed properly", exc_info=True)
        self._client = None

    def _go_on(self, run_id: str, owner: str = "") -> str:
        status = self.store.status(run_id).status
        if status not in (*RESUMABLE, "waiting"):
            raise RunError(f"run {run_id!r} is {status}: only a run that was cut short can go on")
        return self._enqueue(run_id, owner)

    def _enqueue(self, run_id: str, owner: str) -> str:
        """Record that the run waits for a worker of this server, then hand it over."""
        if self._closed:
            raise RunError("the runner is closed")
        folder, attempt = self.store.folder(run_id), self._ledger.enter(run_id, owner)
        self._lane.submit(self._send, run_id, str(folder), attempt)
        return run_id

    def _send(self, run_id: str, folder: str, attempt: int, died: int = 0) -> None:
        """Hand an attempt to a worker; ``died``: how many workers have died before they began it."""
        if run_id not in self._ledger.futures:
            return  # stopped or closed before it was sent
        if self._client is None:
            self._ledger.drop(run_id, attempt, self._problem or CLOSED)
            return
        key = f"{run_id}-{attempt}-{died}"
        turn = self._ledger.turn([run_id])
        future = self._client.submit(execute, folder, attempt, key=key, pure=False, retries=0, priority=-turn)
        self._ledger.futures[run_id] = future
        future.add_done_callback(lambda done: self._done(run_id, attempt, done, died))

    def _done(self, run_id: str, attempt: int, future: Any, died: int) -> None:
        """Clean up after a run whose worker is done with it, or died; one that it had not begun is sent again."""
        if future.status == "error":
            error = future.exception()
            killed = type(error).__name__ == "KilledWorker"
            if killed and died < MOST_DEATHS and self._send_again(run_id, attempt, future, died + 1):
                logger.info("Run %s, attempt %d: its worker died before it began; another takes it", run_id, attempt)
                return
            if killed:
                logger.warning("Run %s, attempt %d: its worker died (%s)", run_id, attempt, error)
            else:
                logger.error("Run %s, attempt %d: its worker failed", run_id, attempt, exc_info=error)
            self._ledger.drop(run_id, attempt, DIED if killed else f"The worker failed: {error}")
        elif self._ledger.futures.get(run_id) is future:
            self._ledger.forget(run_id)

    def _send_again(self, run_id: str, attempt: int, future: Any, died: int) -> bool:
        """Send an attempt that no worker has begun once more; False where it has begun, or is no longer wanted."""
        try:
            folder = self.store.folder(run_id)
            if self._ledger.futures.get(run_id) is not future or files.read_attempt(folder / files.BEGUN) >= attempt:
                return False
            self._lane.submit(self._send, run_id, str(folder), attempt, died)
        except (SoftMergeError, RuntimeError):  # it was deleted, or the runner closed
            return False
        return True

    def _end_waiting(self, run_id: str) -> None:
        """End a run that no worker has begun; holding its lock gives the right to write."""
        folder = self.store.folder(run_id)
        with files.writing(run_id), contextlib.suppress(Timeout), FileLock(folder / files.LOCK, timeout=0.2):
            if self.store.status(run_id).status == "running":  # the lock is held, but only by us
                attempt = files.read_attempt(folder / files.QUEUE)
                files.write_json(folder / files.END, {"status": "stopped", "attempt": attempt})
        future = self._ledger.forget(run_id)
        if future is not None:
            future.cancel()
