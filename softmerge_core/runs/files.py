"""The files of a run folder: their names, and the reading and writing of the small ones.

Manifest, spec, queue and request are written by the process that creates, submits or steers the run; all other files
by the one process that holds the lock.
"""

import json
import os
import re
import socket
from pathlib import Path
from typing import Any

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
    try:
        values = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path.name} of run {path.parent.name!r} is not readable ({error})") from error
    if not isinstance(values, dict):
        raise RunError(f"{path.name} of run {path.parent.name!r}: expected an object")
    return values


def read_attempt(path: Path) -> int:
    """Return the attempt named in the small file at ``path``; 0 if the file is absent or unreadable."""
    try:
        attempt = (read_json(path) or {}).get("attempt", 0)
    except RunError:
        return 0
    return attempt if isinstance(attempt, int) else 0


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
