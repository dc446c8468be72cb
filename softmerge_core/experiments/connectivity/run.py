"""The work of a connectivity run: its tasks, the curve before or after them, and the result."""

import time
from collections.abc import Sequence
from typing import Any

from torch import nn

from softmerge_core.errors import SourceError
from softmerge_core.events import Event, Notice, PlaneRows, PlaneTrail, Progress, Score, WeightPath
from softmerge_core.experiments.base import Context
from softmerge_core.experiments.connectivity.curve import chunks, train_curve
from softmerge_core.experiments.connectivity.paths import overlay_path, prepared, start_path, strip_score
from softmerge_core.experiments.connectivity.plane import beginning, gate_trail, plane_rows
from softmerge_core.experiments.connectivity.spec import ROWS, ConnectivitySpec, curve_is_corner, plan
from softmerge_core.experiments.connectivity.words import OVERLAYS, verdict
from softmerge_core.experiments.made import Keeper, handed_on, made_like
from softmerge_core.experiments.tasks import do_tasks
from softmerge_core.experiments.words import listed, source_text
from softmerge_core.landscape.barriers import path_barrier
from softmerge_core.numbers import finite

EVENTS: dict[str, type[Event]] = {
    "weight_path": WeightPath, "plane_trail": PlaneTrail, "plane_rows": PlaneRows, "score": Score,
}  # fmt: skip


def run(spec: ConnectivitySpec, context: Context) -> dict[str, Any]:
    """Walk the paths, score the strip, then fill the plane row by row or train the curve step by step."""
    begun = time.monotonic()
    tasks = plan(spec)
    units = chunks(spec) if curve_is_corner(spec) or spec.picture == "bezier" else 0
    part = _Part(context, 0, len(tasks) + units)
    third: bytes | None = None
    found: dict[str, Any] = {}
    if curve_is_corner(spec):
        third, found = train_curve(spec, part)
        part.before = units
    if spec.picture != "bezier" and not _announce(spec, third, context):
        tasks = [key for key in tasks if key.partition(":")[0] in ("path", "start", "strip")]
        part.total = len(tasks) + units
    keeper = Keeper(context, len(spec.overlays) + 1, lambda values: 0.0)
    rows = do_tasks(part, piece_of, [(spec.model_dump_json(), key, third) for key in tasks], _event, keeper)
    if spec.picture == "bezier" and len(rows) == len(tasks):
        part.before = len(tasks)
        found = train_curve(spec, part)[1]
    return {**report(rows), "curve": found, "seconds": time.monotonic() - begun}


def _announce(spec: ConnectivitySpec, third: bytes | None, context: Context) -> bool:
    """Tell the plane to come; False, with a notice, where the trained curve is too straight to span one."""
    try:
        for event in beginning(spec, third):
            context.emit(event)
    except SourceError as error:
        if third is None:
            raise
        context.emit(Notice(step=0, text=f"{error}; the curve is as good as straight"))
        return False
    return True


class _Part:
    """A run's context for one part of it, whose progress counts in that of the whole run."""

    def __init__(self, context: Context, before: int, total: int) -> None:
        self.context, self.before, self.total = context, before, total
        self.should_stop, self.parallel = context.should_stop, context.parallel
        self.save_weights = context.save_weights
        self.save_snapshot, self.load_snapshot = context.save_snapshot, context.load_snapshot
        self.earlier_snapshots, self.take_change = context.earlier_snapshots, context.take_change
        self.save_spec = context.save_spec

    def emit(self, event: Event) -> None:
        """Pass the event on; Progress becomes that of the whole run."""
        if isinstance(event, Progress):
            event = Progress(step=self.before + event.step, total=self.total)
        self.context.emit(event)


def piece_of(task: tuple[str, str, bytes | None]) -> dict[str, Any]:
    """Do one task, given as (spec as JSON, key, third corner's weights); returns the values of its event."""
    spec, (what, _, which) = ConnectivitySpec.model_validate_json(task[0]), task[1].partition(":")
    event: Event
    kept: dict[str, Any] = {}
    if what == "path":
        event, middle = overlay_path(spec, which)
        kept = _handed(spec, f"Middle ({OVERLAYS[which]})", middle)
    elif what == "start":
        event = start_path(spec, int(which))
    elif what == "strip":
        event, network = strip_score(spec, which)
        if which == "soft" and network is not None:
            kept = _handed(spec, "Soft merge", network)
    elif what == "trail":
        event = gate_trail(spec, task[2])
    else:
        event = plane_rows(spec, task[2], int(which), ROWS)
    return {**event.model_dump(mode="json"), **kept}


def _handed(spec: ConnectivitySpec, what: str, network: nn.Module) -> dict[str, Any]:
    """A network between the first two models, to be kept."""
    modules, names, _ = prepared(spec)
    how = f"{what} of {listed([source_text(name) for name in names[:2]])}, on a path between them"
    named = f"{what}: {spec.name}" if spec.name else what
    return handed_on(made_like(spec.sources[0].model, named, how), network, modules[0])


def _event(values: dict[str, Any]) -> Event:
    return EVENTS[values["kind"]].model_validate(values)


def report(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The barriers of all paths, the gates' distance from the plane (in widths of it), and the verdict."""
    paths = {row["series"]: WeightPath.model_validate(row) for row in rows if row["kind"] == "weight_path"}
    trail = next((PlaneTrail.model_validate(row) for row in rows if row["kind"] == "plane_trail"), None)
    return {
        "paths": [_summary(path) for path in paths.values()],
        "off_plane": finite(max(trail.off) / trail.width) if trail and trail.off else None,
        "reason": verdict(paths),
    }


def _summary(path: WeightPath) -> dict[str, Any]:
    """A path's barriers in loss (nats) and error (0-1), and where they stand, as JSON values."""
    row: dict[str, Any] = {"series": path.series, "note": path.note}
    for split in ("test", "train") if path.t else ():
        for what in ("loss", "error"):
            height, t = path_barrier(path, what, split)
            row[f"{split}_{what}_barrier"] = {"height": finite(height), "t": t}
    return row
