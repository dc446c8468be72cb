"""The door through which weights files come in: each is read in a process that ends afterwards. Loads no torch.

The process limits its own memory and time before it opens a file (``limits``). If it dies, the file that it had open
is refused and the others are read by another one. One such process may wait beforehand with torch loaded, so that an
answer takes a fraction of a second.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from softmerge_core.checkpoints.shards import INDEX, is_index, shards
from softmerge_core.errors import CheckpointError, RunError, short
from softmerge_core.folder import file_offered, files_offered
from softmerge_core.limits import memory_for, seconds_for
from softmerge_core.memory import memory_text
from softmerge_core.zoo.library import slug
from softmerge_core.zoo.sources import is_weights_file
from softmerge_core.zoo.verdicts import Asked, FileAsked, Verdict

MODULE = "softmerge_core.zoo.intake_process"
ROOT = Path(__file__).parents[2]
PATIENCE = 60  # seconds beyond those of processor time, for a machine that is busy
AT_WORK = threading.BoundedSemaphore(2)  # processes at once, of all readers together
WAIT = 20.0  # seconds for a place among them
VARIABLES = ("SOFTMERGE_HOME", "SOFTMERGE_NETWORKS", "SOFTMERGE_FOLDER")  # told anew: a waiting process has older ones
_ONE = threading.Lock()
_WAITING: list[subprocess.Popen[str]] = []


def take_in(asked: Asked) -> list[Verdict]:
    """What came of each file, in their order; those that fit are in the library if they were to be kept.

    Raises SoftMergeError where nothing can be said of any file: data or a network that are not known, or RunError
    while the machine is busy with other files.
    """
    if not AT_WORK.acquire(timeout=WAIT):
        raise RunError("the server is busy with other files: try again in a moment")
    try:
        found: list[Verdict] = []
        while len(found) < len(asked.files):
            rest = asked.model_copy(update={"files": asked.files[len(found) :], "first": _first(asked, found)})
            found += _read_by_one(rest)
        return found
    finally:
        AT_WORK.release()


def get_ready() -> None:
    """Let one process wait with torch loaded, unless one does. It ends with this one."""
    with _ONE:
        _WAITING[:] = [process for process in _WAITING if process.poll() is None]
        if not _WAITING:
            _WAITING.append(_start())


def offered() -> list[str]:
    """The labels of the weights files in the server's folder."""
    return files_offered(is_weights_file)


def offered_file(label: str) -> FileAsked:
    """The file of a label; raises NotFoundError where it, or a part of it, is not in the server's folder."""
    path = file_offered(label)
    for part in shards(path):
        file_offered((Path(label).parent / part.name).as_posix())
    name = Path(label).name
    return FileAsked(path=path, title=label, name=slug(name.removesuffix(INDEX) if is_index(name) else Path(name).stem))


def _first(asked: Asked, found: Sequence[Verdict]) -> tuple[str, tuple[int, ...], int] | None:
    fitting = next((one for one in found if one.fits), None)
    return asked.first or ((fitting.network, fitting.input_shape, fitting.classes) if fitting else None)


def _read_by_one(asked: Asked) -> list[Verdict]:
    """The verdicts that one process gives before it ends, and on the file that was its end."""
    size = sum(file.size for file in asked.files)
    seconds = seconds_for(size) * len(asked.files)
    environment = {name: os.environ.get(name) for name in VARIABLES}
    request = json.dumps({"environment": environment, "asked": asked.model_dump(mode="json"), "seconds": seconds})
    said, complaint = _answer(request, seconds + PATIENCE)
    found = _understood(said, complaint)
    if len(found) < len(asked.files):
        file = asked.files[len(found)]
        most = f"{memory_text(memory_for(file.size))} of memory or {seconds:,} s"
        problem = f"takes more than {most} to read, which is not allowed"
        if "Traceback" in complaint:
            problem = f"could not be read ({short(complaint.strip().rpartition(chr(10))[2])})"
        found.append(Verdict(file=file.title, problem=problem))
    return found


def _answer(request: str, seconds: int) -> tuple[str, str]:
    """What a process prints, and what it complains of."""
    while True:
        process = _started()
        try:
            said, complaint = process.communicate(f"{request}\n", timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            said, complaint = process.communicate()
        if said or complaint or process.returncode:
            return said, complaint
        # it had waited so long that it ended just now


def _understood(said: str, complaint: str) -> list[Verdict]:
    """The verdicts in what a process printed, one a line; raises CheckpointError where it says that it has none."""
    found = []
    for line in said.splitlines():
        with contextlib.suppress(ValidationError):
            found.append(Verdict.model_validate_json(line))
    last = complaint.strip().rpartition("\n")[2]
    if not found and last.startswith("error: "):
        raise CheckpointError(last.removeprefix("error: "))
    return found


def _started() -> subprocess.Popen[str]:
    """The process that waits, or a new one."""
    with _ONE:
        while _WAITING:
            process = _WAITING.pop()
            if process.poll() is None:
                return process
    return _start()


def _start() -> subprocess.Popen[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-m", MODULE], cwd=ROOT, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )


@atexit.register
def _end() -> None:
    """End the process that waits: nobody asks it any more."""
    for process in _WAITING:
        process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=5)
