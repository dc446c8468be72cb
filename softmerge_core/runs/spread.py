"""The tasks of one run, spread over the workers of its cluster while the run itself only waits for them."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from distributed import Client, Future, default_client, get_client, secede, wait
from distributed.threadpoolexecutor import thread_state

from softmerge_core.errors import RunError
from softmerge_core.runs.status import DIED
from softmerge_core.runs.warm import one_thread

LOOK = 0.1  # seconds between two checks whether to stop

logger = logging.getLogger(__name__)


def over_workers(
    function: Callable[[Any], Any], tasks: Sequence[Any], should_stop: Callable[[], bool]
) -> Iterator[tuple[int, Any]]:
    """Yield (position, result) of each task as it is done; as many are done at once as there are workers.

    The caller runs in a worker, and gives up its place there to the tasks. No task is begun while the run is paused,
    nor once it is asked to stop; the tasks under way are then abandoned. Raises what a task raises, and RunError
    when a worker died.
    """
    client = _connected()
    _give_up_place()
    waiting, running = list(enumerate(tasks))[::-1], dict[Future[Any], int]()
    try:
        while waiting or running:
            if should_stop():
                return
            while waiting and len(running) < max(1, len(client.scheduler_info()["workers"])):
                position, task = waiting.pop()
                running[client.submit(_compute, function, task, pure=False, retries=0)] = position
            for future in _done(running):
                yield running.pop(future), _result(future)
    finally:
        client.cancel(list(running), reason="no longer wanted")


def _connected(attempts: int = 3) -> Client:
    """The client of this worker.

    One that is just connecting takes the scheduler's greeting for broken where another message comes along with it,
    which its own assertion then says: such a client is closed, and another one made.
    """
    for _ in range(attempts - 1):
        with contextlib.suppress(AssertionError):
            return get_client()
        with contextlib.suppress(Exception):  # whatever it is that was left half connected
            default_client().close(timeout=1)
    return get_client()


def _give_up_place() -> None:
    """Leave the worker's pool of threads, once: a run may spread tasks again and again."""
    if thread_state.proceed:
        secede()


def _compute(function: Callable[[Any], Any], task: Any) -> Any:
    one_thread()
    return function(task)


def _done(running: dict[Future[Any], int]) -> list[Future[Any]]:
    try:
        return list(wait(list(running), timeout=LOOK, return_when="FIRST_COMPLETED").done)
    except TimeoutError:
        return []


def _result(future: Future[Any]) -> Any:
    if future.status == "error" and type(future.exception()).__name__ == "KilledWorker":
        logger.warning("A worker died with a task of this run: %s", future.exception())
        raise RunError(DIED)
    return future.result()
