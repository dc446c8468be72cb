"""The process that brings data in: ``python -m softmerge_core.data.importing.child REQUEST``, a JSON object.

It limits its own memory and time, and prints JSON objects, one a line: what it is doing, and at last its end.
"""

import contextlib
import importlib
import json
import math
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from softmerge_core.data.forms import Asked, Form, forms
from softmerge_core.data.importing.making import make
from softmerge_core.data.importing.places import download, downloads_folder, found_place
from softmerge_core.data.importing.wishes import Wishes
from softmerge_core.data.limits import HOW, MAX_BYTES
from softmerge_core.errors import DataError
from softmerge_core.limits import limit_process
from softmerge_core.settings import Frozen

SECONDS = 300  # of processor time
PATIENCE = 30.0  # seconds for an answer from the network
EVERY = 0.5  # seconds between two looks at a download


class Request(Frozen):
    """``source``: the file or folder, or None to find or download it; ``target``: the data file to write."""

    form: str
    source: str | None
    called: str
    wishes: Wishes
    scratch: str
    target: str


def work(request: Request) -> None:
    """Bring in what is asked for; raises DataError."""
    form = forms()[request.form]
    say("Loading the libraries", None)
    for module in form.loads:
        importlib.import_module(module)  # before the limit, which counts from what is loaded
    source = Path(request.source) if request.source else found_place(form)
    if source is None:
        with _told_download(form):
            source = download(form)
    limit_process(3 * MAX_BYTES, SECONDS)
    called = request.called or str(source)
    wishes = request.wishes
    asked = Asked(Path(request.scratch), called, wishes.label, wishes.size or None, say)
    try:
        make(form, source, wishes, asked, Path(request.target))
    except MemoryError as error:
        raise DataError(f"{called}: takes more memory than is allowed; {HOW}") from error
    except OSError as error:
        raise DataError(f"{called}: could not be brought in ({error.strerror or error})") from error


@contextlib.contextmanager
def _told_download(form: Form) -> Iterator[None]:
    """Tell how much of a download has come, by what lies on the disk."""
    socket.setdefaulttimeout(PATIENCE)
    over = threading.Event()

    def look() -> None:
        while not over.wait(EVERY):
            there = sum(path.stat().st_size for path in _files(downloads_folder())) / 2**20
            share = min(0.99, there / form.megabytes) if form.megabytes else None
            say(f"Downloading {form.title}, {there:.0f} MB", share)

    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _files(folder: Path) -> list[Path]:
    with contextlib.suppress(OSError):
        return [path for new in folder.glob(".new-*") for path in new.rglob("*") if path.is_file()]
    return []


_last = [-math.inf]


def say(what: str, share: float | None) -> None:
    """Print what is being done, but shares of it not too often; the first of each kind of work is always told."""
    now = time.monotonic()
    if share is None or now - _last[0] > 0.1:
        _last[0] = -math.inf if share is None else now
        _print({"doing": what, "share": share})


def _print(values: dict[str, object]) -> None:
    sys.__stdout__.write(json.dumps(values) + "\n")  # type: ignore[union-attr] # a command line has one
    sys.__stdout__.flush()  # type: ignore[union-attr]


def main() -> None:
    """Do what the argument says."""
    with contextlib.redirect_stdout(sys.stderr):
        try:
            work(Request.model_validate_json(sys.argv[1]))
            _print({"end": "made"})
        except DataError as error:
            _print({"end": "refused", "problem": str(error)})


if __name__ == "__main__":
    main()
