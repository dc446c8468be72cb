"""What a replay of a run tells, worked out by a process of its own and remembered, for pages that explain runs."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import Any

from pages.shared.choose.zoo_command import engine_command
from softmerge_core.errors import RunError, SoftMergeError

KEPT = 32  # answers that are remembered, a few hundred kilobytes each at most
LOOK = 0.3  # seconds between two looks at whether the process is done
FAILED = "the run could not be gone through again"
WAITING = "Going through the run again: seconds for a small network, a minute for a large one."
_WORKERS = ThreadPoolExecutor(max_workers=2)  # each only waits for its process
_ASKED: OrderedDict[tuple[str, ...], Future[dict[str, Any]]] = OrderedDict()
_LOCK = Lock()


def explained(*arguments: str, part: str, waiting: Callable[[], Any]) -> dict[str, Any]:
    """What ``softmerge explain`` tells for these arguments, from the first time on without another process.

    Of very many parts it tells only some, so a ``part`` that is not among them is asked for by its name. ``waiting``
    is called again and again until it is there; a reader who goes elsewhere meanwhile ends that by it, and the answer
    is remembered all the same. Raises RunError with the words of the command.
    """
    found = _told(arguments, waiting)
    if part in found["names"] and part not in found["parts"]:
        return _told((*arguments, f"--part={part}"), waiting)
    return found


def _told(arguments: tuple[str, ...], waiting: Callable[[], Any]) -> dict[str, Any]:
    asked = _asked(arguments)
    while not asked.done():
        waiting()
        wait([asked], timeout=LOOK)
    try:
        return asked.result()
    except SoftMergeError as error:
        with _LOCK:
            _ASKED.pop(arguments, None)  # it may go better the next time
        raise RunError(str(error)) from error


def _asked(arguments: tuple[str, ...]) -> Future[dict[str, Any]]:
    with _LOCK:
        if arguments not in _ASKED:
            _ASKED[arguments] = _WORKERS.submit(engine_command, "explain", *arguments, failure=FAILED)
            while len(_ASKED) > KEPT:
                _ASKED.popitem(last=False)
        _ASKED.move_to_end(arguments)
        return _ASKED[arguments]
