"""Tasks of one run, spread over the workers of its cluster while the run itself only waits for them."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from distributed import Future, get_client, secede, wait
from distributed.threadpoolexecutor import thread_state

from softmerge_core.errors import RunError
from softmerge_core.runs.status import DIED
from softmerge_core.runs.worker import one_thread

LOOK = 0.1  # seconds between two looks at whether to stop


def over_workers(
    function: Callable[[Any], Any], tasks: Sequence[Any], should_stop: Callable[[], bool]
) -> Iterator[tuple[int, Any]]:
    """(position, result) of each task as it is done, as many at once as there are workers.

    Called in a worker, whose place is given up to the tasks. No task is begun while the run is paused, nor once
    it is asked to stop; what is under way then is let go. Raises what a task raises, and RunError for a dead worker.
    """
    client = get_client()
    _give_up_place()
    waiting, running = list(enumerate(tasks))[::-1], dict[Future, int]()
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


def _give_up_place() -> None:
    """Once a run, which may spread tasks again and again: a thread that has left the pool cannot leave it twice."""
    if thread_state.proceed:
        secede()


def _compute(function: Callable[[Any], Any], task: Any) -> Any:
    one_thread()
    return function(task)


def _done(running: dict[Future, int]) -> list[Future]:
    try:
        return list(wait(list(running), timeout=LOOK, return_when="FIRST_COMPLETED").done)
    except TimeoutError:
        return []


def _result(future: Future) -> Any:
    if future.status == "error" and type(future.exception()).__name__ == "KilledWorker":
        raise RunError(DIED)
    return future.result()
