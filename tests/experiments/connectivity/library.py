"""Small connectivity runs on models of a shipped family, shared by the tests of this folder."""

from pathlib import Path
from typing import Any

from softmerge_core.experiments.base import Spec
from softmerge_core.experiments.connectivity.spec import ConnectivitySpec
from softmerge_core.runs.store import RunStore, RunView
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import DataSpec, SourceSpec

SPIRALS = tuple(SourceSpec(model=f"spirals-mlp-independent/source-{number}") for number in (1, 2, 3))
SMALL: dict[str, Any] = {
    "points": 5,
    "grid": 7,
    "samples": 60,
    "curve_steps": 40,
    "gate_steps": 20,
    "overlays": ("plain",),
}


def spec(**fields: Any) -> ConnectivitySpec:
    """A small spec over SPIRALS, with ``fields`` changed."""
    return ConnectivitySpec(**{"sources": SPIRALS, "data": DataSpec(dataset="spirals"), **SMALL, **fields})


def done(asked: Spec, folder: Path) -> RunView:
    """The finished run of a spec, kept in ``folder``."""
    store = RunStore(folder)
    run_id = store.create(asked)
    assert conduct(store.folder(run_id)) == "finished", store.read(run_id).error
    return store.read(run_id)


def of(view: RunView, kind: type) -> list[Any]:
    """The run's events of one kind."""
    return [event for event in view.events if isinstance(event, kind)]
