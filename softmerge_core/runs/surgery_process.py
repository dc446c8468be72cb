"""The process that holds merges open for surgery: ``python -m softmerge_core.runs.surgery_process``.

It loads torch, answers one line of JSON with one line, and ends with its standard input, or once nobody has asked for
long. It computes beside the workers, so that nobody's change by hand waits for a run to end.
"""

import contextlib
import json
import os
import sys
import threading
import traceback
from collections import OrderedDict
from pathlib import Path
from typing import Any

from softmerge_core.allocator import keep_freed_memory
from softmerge_core.errors import RunError, SoftMergeError
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.merge.surgery import OpenedRun
from softmerge_core.merging.forced import Forced
from softmerge_core.numbers import finite
from softmerge_core.runs import files
from softmerge_core.runs.results import read_result
from softmerge_core.runs.status import derive
from softmerge_core.runs.store import read_spec
from softmerge_core.runs.warm import one_thread

IDLE = 900.0  # seconds without a question after which it ends and gives its memory back
ROOM = 2**30  # bytes of opened runs that are kept, beside the newest, whatever its size
ENDED, STANDS = ("finished", "stopped"), ("paused", "interrupted", "failed")


class OpenRuns:
    """The runs that are open, the one that was asked for last at the end; of too many the oldest are closed."""

    def __init__(self, room: int = ROOM) -> None:
        self.room = room
        self.known: OrderedDict[tuple[str, str], OpenedRun] = OrderedDict()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a question; raises SoftMergeError. ``mark`` tells which state of the run it is about."""
        folder = Path(request["folder"])
        mark, run = self._open(folder)
        what = request["what"]
        if what == "open":
            return {**run.told, "mark": mark}
        if what == "start":
            return {**run.start(), "mark": mark}
        return {"scores": run.forced([Forced.model_validate(each) for each in request["forced"]]), "mark": mark}

    def _open(self, folder: Path) -> tuple[str, OpenedRun]:
        status = derive(folder).status
        if status not in (*ENDED, *STANDS):
            raise RunError(f"this run is {status}: its gates can be forced once it is paused or has ended")
        source = folder / (files.RESULT if status in ENDED else files.SNAPSHOT)
        try:
            found = source.stat()
        except OSError as error:
            raise RunError("this run has no gates yet: expected a result or a snapshot of its way") from error
        mark = f"{source.name}:{found.st_mtime_ns}:{found.st_size}"
        key = (str(folder), mark)
        if key not in self.known:
            self.known[key] = self._load(folder, source, ended=status in ENDED)
        self.known.move_to_end(key)
        while len(self.known) > 1 and sum(run.size for run in self.known.values()) > self.room:
            self.known.popitem(last=False)
        return mark, self.known[key]

    def _load(self, folder: Path, source: Path, *, ended: bool) -> OpenedRun:
        spec = read_spec(folder)
        if not isinstance(spec, MergeSpec):
            raise RunError(f"run {folder.name!r}: expected a merge, got what is called {spec.kind!r}")
        result, harm = read_result(folder, spec.kind) if ended else (None, "")
        if ended and not (result and result.get("gates")):
            raise RunError(harm or "this run did not keep its gates")
        weights = {path.stem: path for path in (folder / files.WEIGHTS).glob("*.safetensors")}
        return OpenedRun(spec, result, None if ended else source.read_bytes(), weights)


def main() -> None:
    """Answer line by line."""
    answers = sys.stdout
    one_thread()
    keep_freed_memory()
    runs = OpenRuns()
    with contextlib.redirect_stdout(sys.stderr):
        timer = _idle()
        for line in sys.stdin:
            timer.cancel()
            print(json.dumps(finite(_answer(runs, line)), allow_nan=False), file=answers, flush=True)
            timer = _idle()
        timer.cancel()


def _answer(runs: OpenRuns, line: str) -> dict[str, Any]:
    try:
        return {"answer": runs.answer(json.loads(line))}
    except SoftMergeError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "this machine has too little memory free to open this run"}
    except Exception:
        traceback.print_exc()
        return {"error": "this run cannot be opened: what it wrote down does not fit together"}


def _idle() -> threading.Timer:
    timer = threading.Timer(IDLE, os._exit, [0])
    timer.daemon = True
    timer.start()
    return timer


if __name__ == "__main__":
    main()
