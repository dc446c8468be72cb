"""The loop of an experiment made of tasks, which run in parallel and are resumed where a run was cut short."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from softmerge_core.events import Event, Progress
from softmerge_core.experiments.base import Context
from softmerge_core.experiments.made import BEST, Keeper


def do_tasks(
    context: Context,
    function: Callable[[Any], dict[str, Any]],
    tasks: Sequence[Any],
    event_of: Callable[[dict[str, Any]], Event],
    keeper: Keeper | None = None,
) -> list[dict[str, Any]]:
    """Return ``function`` of each task, in the order of ``tasks``, without those that a stopped run did not reach.

    Each result is a dict of plain values. It is emitted as ``event_of`` it, and kept in the snapshot from which a
    later attempt resumes. ``keeper`` takes out of it the network that comes with it, if one does.
    """
    done: dict[str, dict[str, Any]] = json.loads(context.load_snapshot() or b"{}")
    best = done.pop(BEST, None)
    if keeper is not None and best is not None:
        keeper.best = best["score"]
    for values in done.values():
        context.emit(event_of(values))
    left = [position for position in range(len(tasks)) if str(position) not in done]
    context.emit(Progress(step=len(done), total=len(tasks)))
    for place, values in context.parallel(function, [tasks[position] for position in left]):
        if keeper is not None:
            keeper.take(values)
        done[str(left[place])] = values
        context.emit(event_of(values))
        context.emit(Progress(step=len(done), total=len(tasks)))
        kept = {BEST: {"score": keeper.best}} if keeper is not None and keeper.best is not None else {}
        context.save_snapshot(json.dumps({**done, **kept}).encode())
    return [done[key] for key in sorted(done, key=int)]
