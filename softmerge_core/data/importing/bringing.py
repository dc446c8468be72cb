"""Data are brought in by a process of its own, and the file it makes is checked by another, as every data file is."""

import json
import logging
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from softmerge_core.data.forms import Form
from softmerge_core.data.forms.base import Tell, tell_nobody
from softmerge_core.data.importing.child import Request
from softmerge_core.data.importing.wishes import Wishes
from softmerge_core.data.kept import ROOT, data_folder, keep_data_file
from softmerge_core.data.limits import HOW
from softmerge_core.errors import DataError, short

SECONDS, WITH_DOWNLOAD = 600.0, 3600.0
LOG = logging.getLogger(__name__)


def import_data(
    form: Form,
    source: Path | None,
    wishes: Wishes,
    stem: str,
    *,
    called: str = "",
    tell: Tell = tell_nobody,
    stop: threading.Event | None = None,
) -> Path:
    """Return the data file that was made and kept under ``stem``, from ``source`` or, where that is None, a download.

    ``called``: what messages call the source; ``tell``: is told what is being done; ``stop``: once set, ends the work.
    Raises DataError, which says what is wrong or missing, and what to do.
    """
    name = called or (str(source) if source else "")
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder, ignore_cleanup_errors=True) as scratch:
            target = Path(scratch) / "made.npz"
            request = Request(
                form=form.name, source=str(source.absolute()) if source else None, called=name, wishes=wishes,
                scratch=scratch, target=str(target),
            )  # fmt: skip
            _run(request, form, tell, stop or threading.Event())
            tell("Checking the data file", None)
            return keep_data_file(target, name or form.title, stem)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise DataError(f"{name or form.title}: could not be brought in ({reason or short(error)})") from error


def _run(request: Request, form: Form, tell: Tell, stop: threading.Event) -> None:
    """Let the process do its work; raises DataError where it did not."""
    what = request.called or form.title
    command = [sys.executable, "-m", "softmerge_core.data.importing.child", request.model_dump_json()]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    seconds = SECONDS if request.source else WITH_DOWNLOAD
    end: dict[str, Any] = {}
    with (Path(request.scratch) / "log").open("w+b") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log
        )
        with _guarded(process, stop, seconds) as late:
            for line in process.stdout or ():
                said = json.loads(line)
                end = said if "end" in said else end
                if "doing" in said:
                    tell(str(said["doing"]), said["share"])
        log.seek(0)
        last = log.read()[-2000:].decode(errors="replace")
    if stop.is_set():
        raise DataError(f"{what}: stopped")
    if late.is_set():
        raise DataError(f"{what}: took longer than {seconds:.0f} s; {HOW}")
    if "problem" in end:
        raise DataError(str(end["problem"]))
    if not end or process.returncode:
        LOG.warning("bringing in %s ended with %s: %s", form.name, process.returncode, last)
        raise DataError(f"{what}: takes more memory or time to read than is allowed; {HOW}")


@contextmanager
def _guarded(process: "subprocess.Popen[bytes]", stop: threading.Event, seconds: float) -> Iterator[threading.Event]:
    """End the process with the block, when ``stop`` is set, and when its time is up, which the event tells."""
    late = threading.Event()
    deadline = time.monotonic() + seconds

    def watch() -> None:
        while process.poll() is None:
            if stop.wait(0.2) or time.monotonic() > deadline:
                if not stop.is_set():
                    late.set()
                process.kill()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield late
        process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        watcher.join()
        if process.stdout is not None:
            process.stdout.close()
