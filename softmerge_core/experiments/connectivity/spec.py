"""What lies between trained networks: straight paths and their barriers, a plane of weights, a Bezier curve."""

import time
from typing import Any, Literal

from softmerge_core.alignment.settings import How
from softmerge_core.attacks import find_attack
from softmerge_core.errors import SettingsError, SourceError
from softmerge_core.events import Event, Notice, PlaneRows, PlaneTrail, Progress, Score, WeightPath
from softmerge_core.experiments.admission import check_sources
from softmerge_core.experiments.base import Context, Spec
from softmerge_core.experiments.connectivity.words import STRIP, Overlay, finite, path_summary, verdict
from softmerge_core.experiments.tasks import do_tasks
from softmerge_core.settings import DataSpec, Granularity, SourceSpec, setting

EXAMPLE = "mnist1d-cnn-independent"
ROWS = 2  # of the plane in one task
CHUNK = 20  # steps of the Bezier curve's training between two looks at it

Picture = Literal["plane", "random", "bezier"]


class ConnectivitySpec(Spec):
    """Between which models to walk, along which paths, and what to draw below."""

    kind: Literal["connectivity"] = setting("connectivity", "Kind", "Which experiment: what lies between networks.")
    sources: tuple[SourceSpec, ...] = setting((), "Models", "From, to, and for the plane a third network if wanted.")
    data: DataSpec = setting(DataSpec(), "Data", "The samples loss and error are measured on.")
    overlays: tuple[Overlay, ...] = setting(
        ("plain", "weights", "weights_repair"), "Paths", "Straight paths, and what is done to the models before."
    )
    starts: bool = setting(
        True, "From the initial weights", "Also walk from where each model's training began to where it ended."
    )
    picture: Picture = setting("plane", "Picture below", "A plane through three models, one at random, or a curve.")
    align: How = setting(
        "none",
        "Align for the picture",
        "Permute the models to match the first one before the picture below.",
        more=True,
    )
    gates: Granularity = setting(
        "model", "Gates of the path", "What one gate covers in the merge whose path is drawn on the plane.", more=True
    )
    gate_steps: int = setting(400, "Gate steps", "Of each stage of the gated merges.", ge=1, le=100_000, more=True)
    points: int = setting(
        25, "Points of a path", "How many networks are evaluated on each path.", ge=3, le=401, more=True
    )
    grid: int = setting(41, "Points of the plane", "Along each side of the plane.", ge=5, le=201, more=True)
    samples: int = setting(400, "Samples", "Of the picture below; paths use all there are.", ge=2, le=10**6, more=True)
    split: Literal["train", "test"] = setting(
        "train", "Split", "Which data the picture below is measured on.", more=True
    )
    curve_steps: int = setting(600, "Curve steps", "Training steps of the Bezier curve.", ge=1, le=10**6, more=True)
    curve_rate: float = setting(0.01, "Curve rate", "Adam's step size for the Bezier curve.", gt=0, le=1e3, more=True)
    scope_epochs: int = setting(5, "Scope epochs", "Epochs toward the fused scope.", ge=1, le=10_000, more=True)
    scope_weight: float = setting(1.0, "Scope weight", "Of the KL penalty in nats.", ge=0, le=1e6, more=True)
    seed: int = setting(0, "Seed", "Starts every random choice.", ge=0, le=2**31 - 1, more=True)


def example() -> ConnectivitySpec:
    """A spec that runs: three networks from different random weights (or the first family's)."""
    from softmerge_core.experiments.admission import example_sources
    from softmerge_core.zoo import families

    sources, data = example_sources()
    if family := families().get(EXAMPLE):
        sources = tuple(SourceSpec(model=f"{EXAMPLE}/{model.name}") for model in family.models)
        data = DataSpec(dataset=family.dataset)
    return ConnectivitySpec(name="Between networks from different random weights", sources=sources[:3], data=data)


def check(spec: ConnectivitySpec) -> None:
    """Raise SoftMergeError for what is known to be wrong before any work; no torch is loaded."""
    if len(spec.sources) > 3:
        raise SourceError(f"expected two or three models (from, to, third), got {len(spec.sources)}")
    check_sources(spec.sources, spec.data)
    for number, source in enumerate(spec.sources):
        if source in spec.sources[:number]:
            raise SourceError(f"{source.model} was chosen twice: there is no path from a model to itself")
        if source.attack and not find_attack(source.attack.kind).finite:
            raise SourceError(f"{source.model}: no path leads to weights that are not finite ({source.attack.kind})")
    if not spec.overlays:
        raise SettingsError("paths: expected one or more, got none")
    if len(set(spec.overlays)) < len(spec.overlays):
        raise SettingsError(f"paths: expected each once, got {', '.join(spec.overlays)}")


def run(spec: ConnectivitySpec, context: Context) -> dict[str, Any]:
    """Walk the paths, train the strip's merge, then the plane row by row or the curve step by step."""
    from softmerge_core.experiments.connectivity import curve as connectivity_curve
    from softmerge_core.experiments.connectivity import plane as connectivity_plane

    begun = time.monotonic()
    curve_first = spec.picture == "plane" and len(spec.sources) == 2
    with_curve = curve_first or spec.picture == "bezier"
    tasks = plan(spec)
    units = -(-spec.curve_steps // CHUNK) if with_curve else 0
    part = _Part(context, 0, len(tasks) + units)
    third: bytes | None = None
    found: dict[str, Any] = {}
    if curve_first:
        third, found = connectivity_curve.train_curve(spec, part)
        part.before = units
    if spec.picture != "bezier":
        try:
            for event in connectivity_plane.beginning(spec, third):
                context.emit(event)
        except SourceError as error:
            if not curve_first:
                raise
            context.emit(Notice(step=0, text=f"{error}; the curve is as good as straight"))
            tasks = [key for key in tasks if key.partition(":")[0] in ("path", "start", "strip")]
            part.total = len(tasks) + units
    rows = do_tasks(part, piece_of, [(spec.model_dump_json(), key, third) for key in tasks], _event)
    if spec.picture == "bezier" and len(rows) == len(tasks):
        part.before = len(tasks)
        found = connectivity_curve.train_curve(spec, part)[1]
    return {**report(spec, rows), "curve": found, "seconds": time.monotonic() - begun}


class _Part:
    """A run's context for one part of it: its progress counts in the whole run's."""

    def __init__(self, context: Context, before: int, total: int) -> None:
        self.context, self.before, self.total = context, before, total
        self.should_stop, self.parallel = context.should_stop, context.parallel
        self.save_weights = context.save_weights
        self.save_snapshot, self.load_snapshot = context.save_snapshot, context.load_snapshot

    def emit(self, event: Event) -> None:
        """The event as it is, but Progress as the whole run's."""
        if isinstance(event, Progress):
            event = Progress(step=self.before + event.step, total=self.total)
        self.context.emit(event)


def plan(spec: ConnectivitySpec) -> list[str]:
    """The keys of the tasks, in the order in which they are begun: what is drawn first comes first."""
    keys = [f"path:{overlay}" for overlay in spec.overlays]
    keys += ["start:0", "start:1"] if spec.starts else []
    keys += [f"strip:{which}" for which in STRIP]
    if spec.picture == "plane":
        keys.append("trail")
    if spec.picture != "bezier":
        keys += [f"rows:{first}" for first in range(0, spec.grid, ROWS)]
    return keys


def piece_of(task: tuple[str, str, bytes | None]) -> dict[str, Any]:
    """What one task comes to, as an event's values, from (spec, key, third corner's weights)."""
    from softmerge_core.experiments.connectivity import paths as connectivity_paths
    from softmerge_core.experiments.connectivity import plane as connectivity_plane

    spec, (what, _, which) = ConnectivitySpec.model_validate_json(task[0]), task[1].partition(":")
    if what == "path":
        return connectivity_paths.overlay_path(spec, which).model_dump(mode="json")
    if what == "start":
        return connectivity_paths.start_path(spec, int(which)).model_dump(mode="json")
    if what == "strip":
        return connectivity_paths.strip_score(spec, which).model_dump(mode="json")
    if what == "trail":
        return connectivity_plane.gate_trail(spec, task[2]).model_dump(mode="json")
    return connectivity_plane.plane_rows(spec, task[2], int(which), ROWS).model_dump(mode="json")


_EVENTS: dict[str, type[Event]] = {
    "weight_path": WeightPath, "plane_trail": PlaneTrail, "plane_rows": PlaneRows, "score": Score,
}  # fmt: skip


def _event(values: dict[str, Any]) -> Event:
    return _EVENTS[values["kind"]].model_validate(values)


def report(spec: ConnectivitySpec, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The barriers of all paths, how far the gates' path lies off the plane, and the verdict in one sentence."""
    paths = {row["series"]: WeightPath.model_validate(row) for row in rows if row["kind"] == "weight_path"}
    trail = next((PlaneTrail.model_validate(row) for row in rows if row["kind"] == "plane_trail"), None)
    off = max(trail.off) / trail.width if trail and trail.off else None
    return {
        "paths": [path_summary(path) for path in paths.values()],
        "off_plane": None if off is None else finite(off),
        "reason": verdict(paths),
    }
