"""The writer of a run: it holds the run's lock, and it is the context in which the experiment runs."""

import contextlib
import logging
import math
import os
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout

from softmerge_core import checkpoints
from softmerge_core.errors import RunError, SoftMergeError
from softmerge_core.events import Event
from softmerge_core.experiments import Spec, experiment
from softmerge_core.experiments.kinds import registered_files
from softmerge_core.home import write_atomic
from softmerge_core.runs import files, waypoints
from softmerge_core.runs.log import parse_lines, subject
from softmerge_core.runs.status import Status
from softmerge_core.runs.store import as_text, asked, read_spec, requested

if TYPE_CHECKING:
    import torch

Spread = Callable[[Callable[[Any], Any], Sequence[Any], Callable[[], bool]], Iterator[tuple[int, Any]]]
POLL = 0.05  # seconds between two readings of the request file
SYNC = 5.0  # seconds between two syncs to the disk, each of which may take long
LOCK_PATIENCE = 1.0  # seconds to wait for another writer to let go

logger = logging.getLogger(__name__)


class RunWriter:
    """The ``Context`` of one attempt at a run; as a context manager it takes and releases the lock.

    A second attempt continues the log: events that the experiment repeats since its last snapshot are not written
    again, so no acknowledged step is lost or doubled. Raises RunError while another process writes the run.
    ``together``: it goes side by side with others, without snapshots and only as equal as rounding lets it be; an
    attempt at or after such a one begins the log afresh.
    """

    def __init__(
        self,
        folder: Path,
        attempt: int | None = None,
        listen: Callable[[Event], None] | None = None,
        spread: "Spread | None" = None,
        together: bool = False,
    ) -> None:
        self.folder, self._together = folder, together
        self._listen = listen
        self._spread = spread or in_turn
        self.attempt = attempt if attempt is not None else _last_attempt(folder) + 1
        self._lock = FileLock(folder / files.LOCK, timeout=LOCK_PATIENCE)
        self._log = -1
        self._known: Counter[tuple[Any, ...]] = Counter()  # events of earlier attempts at their last step
        self._last: dict[tuple[Any, ...], int] = {}  # that last step, by kind and series
        self._told = -1  # the last step in the log of earlier attempts
        self._change: dict[str, Any] | None = None
        self._offset = 0.0
        self._started = time.monotonic()
        self._looked = -math.inf
        self._synced = self._started
        self._stop = False

    def __enter__(self) -> "RunWriter":
        with files.writing(self.folder.name):
            try:
                self._lock.acquire()
            except Timeout as error:
                raise RunError(f"run {self.folder.name!r} is being written by another process") from error
            try:
                self._begin()
            except BaseException:
                self._release()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._release()

    def _begin(self) -> None:
        if _last_attempt(self.folder) >= self.attempt:
            raise RunError(f"run {self.folder.name!r}: attempt {self.attempt} has been made before")
        afresh = self._together or files.went_together(self.folder)
        begun = {"attempt": self.attempt, "together": self._together, **files.this_process()}
        files.write_json(self.folder / files.BEGUN, begun, durable=False)
        for stale in (files.END, files.PAUSED, files.TRACEBACK):
            (self.folder / stale).unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        self._log = os.open(self.folder / files.EVENTS, flags | (os.O_TRUNC if afresh else 0), 0o644)
        self._take_up_log()
        self._started = time.monotonic()

    def _take_up_log(self) -> None:
        """Cut off an unfinished last line, which no reader has seen, and note the events already in the log."""
        text = (self.folder / files.EVENTS).read_bytes()
        whole = text.rfind(b"\n") + 1
        os.ftruncate(self._log, whole)
        events, _ = parse_lines(text[:whole])
        self._last = {subject(event): event.step for event in events}
        self._known = Counter(key for event in events if self._last[key := subject(event)] == event.step)
        self._told = max(self._last.values(), default=-1)
        self._offset = max((event.seconds for event in events), default=0.0)

    def _release(self) -> None:
        if self._log >= 0:
            os.close(self._log)
            self._log = -1
        self._lock.release()

    def seconds(self) -> float:
        """Return the monotonic seconds since the run began, continued from the last attempt."""
        return self._offset + time.monotonic() - self._started

    def emit(self, event: Event) -> None:
        """Append one event with ``seconds`` filled in, unless an earlier attempt has already written it."""
        if self._last and self._is_known(event):
            return
        event = event.model_copy(update={"seconds": round(self.seconds(), 6)})
        self._append(event.model_dump_json().encode() + b"\n")
        if self._listen:
            self._listen(event)

    def _is_known(self, event: Event) -> bool:
        """Whether an earlier attempt went this far in the event's series; it may have reported other steps."""
        key = subject(event)
        if event.step == self._last.get(key) and self._known[key]:
            self._known[key] -= 1
            return True
        return event.step < self._last.get(key, 0)

    def _append(self, line: bytes) -> None:
        """Write one line; if a full disk cuts it short, remove what was written, so that the log stays whole."""
        before = os.fstat(self._log).st_size
        try:
            done = os.write(self._log, line)
            while done < len(line):
                done += os.write(self._log, line[done:])
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._log, before)
            raise

    def should_stop(self) -> bool:
        """Whether the reader asked to stop; waits while paused. Reads the request file every POLL seconds at most."""
        now = time.monotonic()
        if not self._stop and now - self._looked >= POLL:
            self._looked = now
            request = requested(self.folder / files.REQUEST)
            if request == "pause":
                request = self._wait()
            self._stop = request == "stop"
        return self._stop

    def _wait(self) -> str | None:
        """Sleep until the reader no longer asks for a pause, and return the new request; it may bring new settings."""
        marker = self.folder / files.PAUSED
        marker.touch()
        while (values := asked(self.folder / files.REQUEST)).get("request") == "pause":
            time.sleep(POLL)
        self._change = values.get("change")
        marker.unlink(missing_ok=True)
        return values.get("request")

    def take_change(self, step: int) -> tuple[int, dict[str, Any]] | None:
        """Return the new settings that a pause has brought, once, and the first step for which they can hold."""
        found, self._change = self._change, None
        return (max(step, self._told), found) if found else None

    def save_spec(self, spec: Spec) -> None:
        """Write the spec anew, atomically."""
        write_atomic(self.folder / files.SPEC, as_text(spec))

    def parallel(self, function: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[tuple[int, Any]]:
        """Yield (position, result) of each task as it is done; ends early once the reader has asked to stop."""
        return self._spread(function, tasks, self.should_stop)

    def save_weights(
        self, name: str, state: "Mapping[str, torch.Tensor]", metadata: Mapping[str, str] | None = None
    ) -> None:
        """Keep a network's state as safetensors under ``name``, atomically, with remarks in its header."""
        checkpoints.save_checkpoint(state, files.weights_path(self.folder, name), metadata)

    def save_snapshot(self, snapshot: bytes, step: int | None = None) -> None:
        """Keep ``snapshot`` atomically. A kill loses nothing; a power cut loses at most the last SYNC seconds.

        One of a ``step`` that no earlier attempt has told of is kept on the way as well: the log ends there just now.
        """
        due = time.monotonic() - self._synced >= SYNC
        if due:
            self._synced = time.monotonic()
            os.fsync(self._log)
        write_atomic(self.folder / files.SNAPSHOT, snapshot, durable=due)
        if step is not None and step > self._told:
            waypoints.keep(self.folder, step, snapshot, os.fstat(self._log).st_size)

    def load_snapshot(self) -> bytes | None:
        """Return the newest snapshot, or None when the run starts from the beginning."""
        try:
            return (self.folder / files.SNAPSHOT).read_bytes() or None
        except FileNotFoundError:
            return None

    def earlier_snapshots(self) -> Iterator[bytes]:
        """Return the snapshots kept on the way, from the last to the first."""
        return waypoints.newest_first(self.folder)

    def finish(self, result: dict[str, Any]) -> Status:
        """Keep the result and end the run as "stopped" if the reader asked for that, else as "finished"."""
        os.fsync(self._log)
        if "seconds" in result:  # an experiment counts from its last start only
            result = {**result, "seconds": self.seconds()}
        files.write_json(self.folder / files.RESULT, result)
        return self.end("stopped" if self._stop else "finished", message=str(result.get("reason", "")))

    def end(self, status: Status, *, error: str | None = None, message: str = "") -> Status:
        """Record how the run ended; a writer writes nothing after this."""
        values = {"status": status, "attempt": self.attempt, "error": error, "message": message}
        with files.writing(self.folder.name):
            files.write_json(self.folder / files.END, {**values, "seconds": self.seconds()})
        return status

    def fail(self, error: BaseException) -> Status:
        """End the run as failed, with a sentence for the reader; an unexpected error's traceback goes into a file."""
        if not isinstance(error, SoftMergeError):
            text = "".join(traceback.format_exception(error)).encode(errors="replace")
            path = self.folder / files.TRACEBACK
            try:
                write_atomic(path, text, durable=False)
                logger.error("Run %s failed unexpectedly; the traceback is in %s", self.folder.name, path)
            except OSError:  # the disk may be what failed
                logger.error("Run %s failed unexpectedly", self.folder.name, exc_info=error)
        return self.end("failed", error=describe(error))


def in_turn(
    function: Callable[[Any], Any], tasks: Sequence[Any], should_stop: Callable[[], bool]
) -> Iterator[tuple[int, Any]]:
    """Yield (position, result) of each task, done one after the other in this process."""
    for position, task in enumerate(tasks):
        if should_stop():
            return
        yield position, function(task)


def _last_attempt(folder: Path) -> int:
    """Return the number of the last attempt that began, or that was ended before it could begin."""
    return max(files.read_attempt(folder / name) for name in (files.BEGUN, files.END))


def describe(error: BaseException) -> str:
    """Return an error as one sentence for the reader."""
    text = " ".join(str(error).split())
    if isinstance(error, SoftMergeError):
        return text
    if isinstance(error, MemoryError) or "can't allocate memory" in text or "out of memory" in text:
        return "The worker ran out of memory."
    if isinstance(error, OSError):
        return f"A file could not be written or read: {error.strerror or text}."
    return f"Unexpected {type(error).__name__}: {text[:300]}"


def conduct(
    folder: Path,
    attempt: int | None = None,
    listen: Callable[[Event], None] | None = None,
    spread: Spread | None = None,
) -> Status:
    """Run the experiment of the run in ``folder`` to its end, and return the status in which it ended.

    ``listen`` is called with each event once it is written. ``spread`` does the tasks that may be done in parallel;
    by default they are done one after the other in this process. Raises RunError while another process writes the run.
    """
    with RunWriter(folder, attempt, listen, spread) as writer:
        if writer.should_stop():
            return writer.end("stopped")
        try:
            spec = read_spec(folder)
            kind = experiment(spec.kind)
            kind.check(spec)
            own = registered_files(spec)
            result = kind.run(spec, writer)
            return writer.finish(result | {"networks": own} if own else result)
        except Exception as error:
            return writer.fail(error)
