"""The files of a run folder: their names, and the reading and writing of the small ones.

Manifest, spec, queue and request are written by the process that creates, submits or steers the run; all other files,
and the spec where the reader changes settings on the way, by the one process that holds the lock.
"""

import contextlib
import errno
import json
import os
import re
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import psutil

from softmerge_core.errors import NotFoundError, RunError
from softmerge_core.home import write_atomic
from softmerge_core.numbers import finite

MANIFEST = "manifest.json"
SPEC = "spec.json"
QUEUE = "queue.json"  # who submitted the run last, and for which attempt
REQUEST = "request.json"  # stop, pause or resume
BEGUN = "begun.json"  # the last attempt that began
EVENTS = "events.jsonl"
SNAPSHOT = "snapshot.bin"
PAUSED = "paused"
RESULT = "result.json"
END = "end.json"  # how the last attempt ended: finished, stopped or failed
TRACEBACK = "traceback.txt"
WEIGHTS = "weights"
LOCK = "lock"
MOST_BYTES = 64 * 2**20  # of a small file: a longer one is taken to be damaged
MOST_ATTEMPTS = 2**31
BOOT = Path("/proc/sys/kernel/random/boot_id")  # changes with every boot; exists only on Linux

_RUN_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


def is_run_id(text: object) -> bool:
    """Whether ``text`` may name a run folder: lower-case letters, digits, - and _, at most 80 of them."""
    return isinstance(text, str) and _RUN_ID.fullmatch(text) is not None


def check_run_id(text: str) -> str:
    """Return ``text`` if it may name a run folder; else raise NotFoundError, so that no foreign name becomes a path."""
    if not is_run_id(text):
        raise NotFoundError(f"unknown run {str(text)[:80]!r}")
    return text


def weights_path(folder: Path, name: str) -> Path:
    """Return the path of the weights called ``name`` in a run folder; raises RunError unless it is a plain word."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise RunError(f"weights {str(name)[:80]!r}: expected letters, digits, - and _, at most 64 of them")
    return folder / WEIGHTS / f"{name}.safetensors"


def write_json(path: Path, values: dict[str, Any], *, durable: bool = True) -> None:
    """Write plain values as JSON with ``write_atomic``; numbers that are not finite become null."""
    text = json.dumps(finite(values), indent=1, allow_nan=False)
    write_atomic(path, text.encode() + b"\n", durable=durable)


def read_json(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in ``path``, or None if there is no such file; raises RunError if it is damaged."""
    what = f"{path.name} of run {path.parent.name!r}"
    try:
        with open_plain(path) as file:
            text = file.read(MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RunError(f"{what} cannot be read ({error.strerror})") from error
    if len(text) > MOST_BYTES:
        raise RunError(f"{what}: expected at most {MOST_BYTES:,} bytes, got more")
    return _parse(text, what)


def _parse(text: bytes, what: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
        if b"\\u" in text:  # half of a pair of surrogates can be written in JSON, but not be shown
            json.dumps(values, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise RunError(f"{what} is damaged: expected JSON, got {len(text):,} bytes of something else") from error
    if not isinstance(values, dict):
        raise RunError(f"{what} is damaged: expected a JSON object, got another value")
    return values


def open_plain(path: Path) -> BinaryIO:
    """Open the file at ``path`` to read its bytes; raises OSError, also for what is no file: a folder, a pipe."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # else a pipe without a writer would be waited for
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    raise OSError(errno.EINVAL, "it is not a file")


def read_attempt(path: Path) -> int:
    """Return the attempt named in the small file at ``path``; 0 if the file is absent or unreadable."""
    try:
        return attempt_in(read_json(path) or {})
    except RunError:
        return 0


def attempt_in(values: dict[str, Any]) -> int:
    """Return the attempt that the values of a small file name; 0 where they name none."""
    attempt = values.get("attempt")
    return attempt if isinstance(attempt, int) and 0 <= attempt < MOST_ATTEMPTS else 0


def went_together(folder: Path) -> bool:
    """Whether the last attempt that began was made side by side with others."""
    with contextlib.suppress(RunError):
        return bool((read_json(folder / BEGUN) or {}).get("together"))
    return False


@contextlib.contextmanager
def writing(run: str) -> Iterator[None]:
    """Raise an OSError of the block, as of a full or read-only disk, as a RunError that names the run."""
    try:
        yield
    except OSError as error:
        raise RunError(f"run {run!r} could not be written ({error.strerror or error})") from error


def this_process() -> dict[str, Any]:
    """Return values that identify this process for good; its number alone may later go to another process."""
    return {"host": socket.gethostname(), "pid": os.getpid(), "started": _birth(os.getpid())}


def is_alive(owner: dict[str, Any]) -> bool:
    """Whether the process that ``this_process`` described still runs; one on another machine is assumed to."""
    if owner.get("host") != socket.gethostname():
        return True
    return process_runs(owner.get("pid"), owner.get("started"))


def process_runs(pid: object, started: object) -> bool:
    """Whether process ``pid``, ``started`` as ``this_process`` says, is running and not merely a zombie."""
    try:
        number = int(str(pid))
        return _birth(number) == started and psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError, OverflowError):
        return False


def _birth(pid: int) -> str:
    """Return the moment a process started, as text.

    On Linux it is the number of clock ticks since a named boot. The time that psutil gives there moves whenever the
    machine's clock is set, as often happens a minute after booting.
    """
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]
        return f"{BOOT.read_text().strip()}/{ticks}"
    except (OSError, IndexError):
        return str(psutil.Process(pid).create_time())
