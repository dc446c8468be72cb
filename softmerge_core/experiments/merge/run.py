"""The work of a merge run: merge, then score the result beside the other candidates. Loads torch."""

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from softmerge_core.checks import usable_device
from softmerge_core.data import Data, load_data
from softmerge_core.evaluation import batchnorm_samples, predict
from softmerge_core.events import Boundary, Evaluation, Event, Points
from softmerge_core.experiments.aligning import align_to_best
from softmerge_core.experiments.base import Context
from softmerge_core.experiments.loading import base_of, lazy_sources, yardsticks
from softmerge_core.experiments.merge.lineage import lineage_of, remarks
from softmerge_core.experiments.merge.predictions import NAME as PREDICTIONS
from softmerge_core.experiments.merge.scores import SPLITS, others_of, score_all
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.merge.timing import estimate, remember, scored_networks
from softmerge_core.merging.changes import Change, with_change
from softmerge_core.merging.pace import Ahead
from softmerge_core.merging.reporting import matrix
from softmerge_core.merging.snapshots import fits
from softmerge_core.merging.soft import GateTable, MergeResult, soft_merge
from softmerge_core.merging.start import GateStart, gate_start
from softmerge_core.merging.summary import layer_sizes, summed
from softmerge_core.settings import parse

GRID = 60  # points of a boundary picture along each axis
MARGIN = 0.1  # how far it reaches past the data, in units of their range
SHOWN_POINTS = 400
MOST_GATES = 2**16  # that are kept one by one in the result, which pages read again and again
Extent = tuple[float, float, float, float]  # x0, x1, y0, y1


def run(spec: MergeSpec, context: Context) -> dict[str, Any]:
    """Merge, keep the merged weights as "merged", and score every candidate on validation and test data."""
    begun, computed = time.monotonic(), time.process_time()
    usable_device(spec.device)
    data, lineage = load_data(spec.data), lineage_of(spec)
    modules, names, base, start = ready(spec, data)
    snapshot, steered = _snapshot(spec, context), _Steered(spec, context)
    extent = announce_plane(data, context)
    merged = soft_merge(
        modules,
        data.for_merging(),
        spec.settings,
        names=names,
        base=base,
        changes=spec.changes,
        on_event=steered.emit,
        should_stop=context.should_stop,
        observe=_boundaries(extent, context) if extent else None,
        snapshot=snapshot,
        on_snapshot=steered.save_snapshot,
        ahead=Ahead(None if snapshot else estimate(spec), _scored_samples(spec, data, modules[0])),
        take_change=steered.take_change,
        start=start,
    )
    spec = steered.spec
    model = merged.model.cpu()
    if extent:
        context.emit(boundary(model, extent, merged.history[-1].step, kept=True))
    context.save_weights("merged", model.state_dict(), remarks(spec, lineage, model.state_dict()))
    sound = [index for index, name in enumerate(names) if name not in merged.excluded]
    beside = {**merged.controls, **yardsticks(spec.sources, spec.data.dataset)}
    scores, predicted = score_all(model, others_of(modules, sound, data), sound, names, data, beside)
    context.save_weights(PREDICTIONS, predicted)
    gates = kept_gates(merged.gates, context)
    seconds = time.monotonic() - begun
    if snapshot is None and merged.stop_reason == "finished" and spec.device == "cpu" and spec.align == "none":
        alone = min(seconds, time.process_time() - computed)  # what others made of this machine meanwhile may pass
        remember(spec, *_done(merged.history), alone)
    return {**scores, **report(merged, names), "gates": gates, "seconds": seconds}


class Ready(NamedTuple):
    """What a spec has to be merged: networks, aligned if it says so, with their names, base and first gates."""

    modules: Sequence[nn.Module]
    names: tuple[str, ...]
    base: nn.Module | None
    start: GateStart | None


def ready(spec: MergeSpec, data: Data) -> Ready:
    """Load what ``spec`` merges; raises what ``load_source`` raises."""
    loaded, names = lazy_sources(spec.sources)
    base = base_of(spec.sources) if spec.settings.relative else None
    start = gate_start(spec.start, spec.settings.stretch) if spec.start else None
    return Ready(align_to_best(loaded, data, spec.align), names, base, start)


def _snapshot(spec: MergeSpec, context: Context) -> bytes | None:
    """What to go on from: this run's own newest snapshot, or one of the run that it branched from."""
    inherited = (each for each in context.earlier_snapshots() if fits(each, spec.changes))
    return context.load_snapshot() or next(inherited, None)


class _Steered:
    """A context for a merge whose settings the reader may change: ``spec`` is what the run is made of as it stands."""

    def __init__(self, spec: MergeSpec, context: Context) -> None:
        self.spec, self.context, self.step = spec, context, 0

    def emit(self, event: Event) -> None:
        """Pass an event on."""
        self.step = event.step
        self.context.emit(event)

    def save_snapshot(self, snapshot: bytes) -> None:
        """Keep a snapshot, which is always made at the step that was told of last."""
        self.context.save_snapshot(snapshot, self.step)

    def take_change(self, step: int) -> Change | None:
        """The change that the reader asks for, once it is in the spec: a run that is cut short goes on with it."""
        found = self.context.take_change(step)
        if found is None:
            return None
        change: Change = parse(Change, {**found[1], "step": found[0]}, "change")
        self.spec = self.spec.model_copy(update={"changes": with_change(self.spec.changes, change)})
        self.context.save_spec(self.spec)
        return change


def _scored_samples(spec: MergeSpec, data: Data, source: nn.Module) -> int:
    """How many samples are computed when a merge is over: all that each network is scored on, and the average's own."""
    each = sum(len(data.split(split)[1]) for split in SPLITS)
    return scored_networks(spec) * each + batchnorm_samples(source, len(data.train_labels))


def _done(history: Sequence[Event]) -> tuple[int, int]:
    """The steps and the evaluations of a merge."""
    return history[-1].step, sum(isinstance(event, Evaluation) and event.series == "soft" for event in history)


def announce_plane(data: Data, context: Context) -> Extent | None:
    """For data in the plane, emit the points once and return what the boundaries span; None for other data."""
    if (extent := plane_extent(data)) is None:
        return None
    points, labels = data.train_inputs[:SHOWN_POINTS], data.train_labels[:SHOWN_POINTS]
    x, y = (tuple(round(value, 4) for value in column.tolist()) for column in points.T)
    context.emit(Points(step=0, x=x, y=y, labels=tuple(labels.tolist())))
    return extent


def _boundaries(extent: Extent, context: Context) -> Callable[[nn.Module, int], None]:
    """Return a function that emits a network's decisions."""

    def observe(network: nn.Module, step: int) -> None:
        context.emit(boundary(network, extent, step))

    return observe


def plane_extent(data: Data) -> Extent | None:
    """(x0, x1, y0, y1) around the training inputs in the plane; None for other data."""
    if len(data.input_shape) != 1 or data.input_shape[0] != 2:
        return None
    low, high = data.train_inputs.amin(0), data.train_inputs.amax(0)
    margin = (high - low) * MARGIN
    (x0, y0), (x1, y1) = (low - margin).tolist(), (high + margin).tolist()
    return round(x0, 4), round(x1, 4), round(y0, 4), round(y1, 4)


def boundary(network: nn.Module, extent: Extent, step: int, *, kept: bool = False) -> Boundary:
    """The classes that ``network`` (inputs [N, 2]) predicts on a lattice of GRID x GRID points over ``extent``.

    ``kept`` says that it is the network that the merge kept.
    """
    xs, ys = torch.linspace(*extent[:2], GRID), torch.linspace(*extent[2:], GRID)
    lattice = torch.stack([xs.repeat(GRID), ys.repeat_interleave(GRID)], 1)
    first = next(network.parameters())
    classes = predict(network, lattice.to(first)).argmax(1)
    return Boundary(step=step, series="soft", extent=extent, size=GRID, classes=tuple(classes.tolist()), kept=kept)


def kept_gates(table: GateTable, context: Context) -> dict[str, Any]:
    """The table of gates as plain values; of very many the means of each layer, and the whole table among the weights.

    There "gates" has probability, value and weight, [parts, sources], and scale [parts].
    """
    if len(table.parts) * len(table.sources) <= MOST_GATES:
        return table.as_json()
    names = ("probability", "value", "weight", "scale")
    context.save_weights("gates", {name: torch.tensor(getattr(table, name), dtype=torch.float64) for name in names})
    return layer_table(table)


def layer_table(table: GateTable) -> dict[str, Any]:
    """The table of gates as plain values, the means of each layer."""
    names = ("probability", "value", "weight", "scale")
    whole = {name: torch.tensor(getattr(table, name), dtype=torch.float64) for name in names}
    found = summed(table.groups, *(whole[name] for name in names[:3]))
    sizes = layer_sizes(table.groups)
    return {
        **{name: getattr(table, name) for name in ("stage", "sources", "relative")},
        "parts": list(sizes),
        "groups": list(sizes),
        "sizes": list(sizes.values()),
        "probability": matrix(found.probability),
        "value": matrix(found.value),
        "weight": matrix(found.share),
        "scale": mean_scales(table.groups, whole["scale"]),
        "closed": found.closed.tolist(),
        "opened": found.opened.tolist(),
    }


def mean_scales(groups: Sequence[str], scale: torch.Tensor) -> list[float]:
    """The geometric mean of the factors [parts] of each layer."""
    zeros = torch.zeros(len(groups), 1)
    return summed(groups, scale.log().unsqueeze(1), zeros, zeros).probability.exp().flatten().tolist()


def report(merged: MergeResult, names: Sequence[str]) -> dict[str, Any]:
    """The merge's own account of itself, as plain values."""
    return {
        "winner": merged.winner,
        "reason": merged.reason,
        "stop_reason": merged.stop_reason,
        "source_names": list(names),
        "excluded": list(merged.excluded),
    }
