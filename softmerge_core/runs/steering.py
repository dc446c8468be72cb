"""What a paused run can be told to go on with."""

from collections.abc import Mapping
from typing import Any

from softmerge_core.errors import RunError
from softmerge_core.experiments import experiment
from softmerge_core.runs.store import RunStore
from softmerge_core.settings import parse


def checked_change(store: RunStore, run_id: str, change: Mapping[str, Any]) -> dict[str, Any]:
    """Return a change of settings that a paused run can go on with as plain values; raises what ``resume`` does."""
    kind, status = experiment(store.read(run_id, 2**62).spec.kind), store.status(run_id).status
    if kind.changes is None:
        raise RunError(f"run {run_id!r}: settings cannot be changed on the way of what is called {kind.title!r}")
    if status != "paused":
        raise RunError(f"run {run_id!r} is {status}: only a paused run takes new settings")
    values: dict[str, Any] = parse(kind.changes, dict(change), "change").model_dump(exclude_none=True)
    return values
