"""The process that reads weights files for ``intake`` and then ends: ``python -m softmerge_core.zoo.intake_process``.

It loads torch, waits for one line with what is asked, limits its own memory and time, and prints a verdict a file.
"""

import contextlib
import importlib
import json
import os
import sys
import threading
from typing import TextIO

from softmerge_core.checkpoints.files import load_checkpoint
from softmerge_core.errors import SoftMergeError, short
from softmerge_core.limits import limit_process, memory_for
from softmerge_core.networks import networks
from softmerge_core.zoo.adding import keep_state
from softmerge_core.zoo.library import slug
from softmerge_core.zoo.preflight import Wanted, refusal, verdict, wanted
from softmerge_core.zoo.verdicts import Asked, FileAsked, Verdict

IDLE = 600.0  # seconds that it waits for somebody to ask
DATA_TIMES = 3  # the bytes of a data file are held so many times


def main() -> None:
    """Answer one request."""
    answers = sys.stdout
    importlib.import_module("torchvision.models")  # takes a second, as torch does
    with contextlib.redirect_stdout(sys.stderr):
        end = threading.Timer(IDLE, os._exit, [0])
        end.daemon = True
        end.start()
        line = sys.stdin.readline()
        end.cancel()
        if not line.strip():  # nobody wants anything any more
            return
        request = json.loads(line)
        _set(request["environment"])
        try:
            _answer(Asked.model_validate(request["asked"]), int(request["seconds"]), answers)
        except SoftMergeError as error:
            print(f"error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)


def _set(environment: dict[str, str | None]) -> None:
    for name, value in environment.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _answer(asked: Asked, seconds: int, answers: TextIO) -> None:
    networks()  # the reader's own file of them needs no limits
    want = wanted(asked)
    limit_process(memory_for(max(file.size for file in asked.files)) + _data_bytes(asked), seconds)
    for file in asked.files:
        print(_judged(file, want).model_dump_json(), file=answers, flush=True)


def _data_bytes(asked: Asked) -> int:
    own = asked.keep and asked.dataset.endswith(".npz") and os.path.isfile(asked.dataset)
    return DATA_TIMES * os.path.getsize(asked.dataset) if own else 0


def _judged(file: FileAsked, want: Wanted) -> Verdict:
    """The verdict on one file, which is in the library if it fits and was to be kept."""
    names = (short(file.path.name), file.path.name, file.title)
    try:
        state = load_checkpoint(file.path)
        found = verdict(state, file.title, want)
        if not found.fits or not want.asked.keep:
            return found
        name = file.name or slug(file.path.stem)
        kept = keep_state(state, found, name, file.title, want.asked.dataset)
        return found.model_copy(update={"model": kept.name})
    except SoftMergeError as error:
        return refusal(error, file.title, *names)
    except MemoryError:
        return Verdict(file=file.title, problem="takes more memory than it may")
    except RuntimeError as error:  # as torch says the same
        if "memory" not in str(error):
            raise
        return Verdict(file=file.title, problem="takes more memory than it may")


if __name__ == "__main__":
    main()
