"""What the recorded runs say about what lessons ask. Examples never change: each is read once."""

from functools import cache
from typing import Any

from pages.shared.runs.services import run_store
from pages.shared.teach.lesson import Measured, Series
from softmerge_core.errors import SoftMergeError

PAST_ALL = 2**62  # of a log: to read a run without its events, which takes less time


@cache
def measured(what: Measured) -> float:
    """The number; raises SoftMergeError where the run or the number is not there."""
    return what.read(_result(what.run))


@cache
def curve(what: Series) -> tuple[float, ...]:
    """The curve; raises SoftMergeError where the run or the curve is not there."""
    return tuple(what.read(_events(what.run, what.event) if what.event else _result(what.run)))


def _result(run: str) -> dict[str, Any]:
    result = run_store().read(run, PAST_ALL).result
    if result is None:
        raise SoftMergeError(f"run {run}: expected a result, found none")
    return result


def _events(run: str, kind: str) -> list[dict[str, Any]]:
    return [event.model_dump() for event in run_store().read(run).events if event.kind == kind]
