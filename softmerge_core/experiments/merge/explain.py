"""A merge run gone through again, to see single steps of it: the same trainer, the same bits. Loads torch."""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import torch

from softmerge_core.data import load_data
from softmerge_core.errors import RunError
from softmerge_core.events import Event, Gates, Stage
from softmerge_core.experiments.merge.run import ready
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.merging.gate_history import GateHistory
from softmerge_core.merging.hooks import Watch
from softmerge_core.merging.one_step import OneStep, Reached
from softmerge_core.merging.reporting import Reporter, matrix
from softmerge_core.merging.snapshots import fits, load_progression
from softmerge_core.merging.soft import soft_merge
from softmerge_core.merging.stages import StagePlan
from softmerge_core.merging.watching import Computed

NEAR = 2e-4  # probabilities in a log have four decimals


def explain_step(
    spec: MergeSpec, step: int, *, part: str = "", snapshots: Iterable[bytes] = (), told: Sequence[Event] = ()
) -> dict[str, Any]:
    """The training step ``step`` (1: the first) of the run that ``spec`` makes, as ``OneStep`` tells it.

    ``snapshots``: those that the run has kept, from the last to the first; from the last one before the step the
    replay starts. ``told``: the run's own events, with whose gates those of the replay are compared: "compared" is the
    number of moments, "differs" the first step at which they are not the same, or None.

    Raises RunError where the run has no such step, and whatever loading its sources and data raises.
    """
    if step < 1:
        raise RunError(f"step: expected 1 or more, got {step:,}")
    one, compare = OneStep(step, part), _Compare(told)
    last = _replay(spec, compare.beside(one.watch), _before(snapshots, spec, step - 1))
    if not one.told:
        raise RunError(f"step {step:,}: the gates of this run learned in steps 1 to {last:,}")
    return {**one.told, **compare.told()}


def explain_gates(
    spec: MergeSpec,
    stage: str,
    *,
    until: int,
    part: str = "",
    snapshots: Iterable[bytes] = (),
    told: Sequence[Event] = (),
) -> dict[str, Any]:
    """The history of the gates of a ``stage`` up to the step ``until`` of the run, as ``GateHistory`` tells it.

    The other arguments, and what is raised, are as in ``explain_step``.
    """
    begin = next((event.step for event in told if isinstance(event, Stage) and event.stage == stage), 0)
    history, compare = GateHistory(stage, until, part), _Compare(told)
    _replay(spec, compare.beside(history.watch), _before(snapshots, spec, begin))
    if not (found := history.told):
        raise RunError(f"stage {stage[:40]!r}: no gate of this run learned in it before step {until:,}")
    return {**found, **compare.told()}


def _replay(spec: MergeSpec, watch: Watch, snapshot: bytes | None) -> int:
    """Go the way of the run until whoever watches has seen enough; returns the last step."""
    data = load_data(spec.data)
    loaded = ready(spec, data)
    last = 0

    def note(event: Event) -> None:
        nonlocal last
        last = event.step

    with contextlib.suppress(Reached):
        soft_merge(
            loaded.modules,
            data.for_merging(),
            spec.settings,
            names=loaded.names,
            base=loaded.base,
            changes=spec.changes,
            on_event=note,
            snapshot=snapshot,
            watch=watch,
            start=loaded.start,
        )
    return last


def _before(snapshots: Iterable[bytes], spec: MergeSpec, step: int) -> bytes | None:
    """The first of the snapshots, which come from the last on, that was made at ``step`` or before."""
    for snapshot in snapshots:
        if fits(snapshot, spec.changes) and load_progression(snapshot, torch.Generator()).step <= step:
            return snapshot
    return None


class _Compare:
    """Compares the gates of a replay with those that the run has told, at every step at which it has."""

    def __init__(self, told: Sequence[Event]) -> None:
        self.gates = {
            (event.stage, event.step): event for event in told if isinstance(event, Gates) and not event.share
        }
        self.compared: set[int] = set()
        self.differs: int | None = None

    def beside(self, watch: Callable[[StagePlan, Reporter], Any]) -> Watch:
        """Return the same watch, with this one looking at each step before it."""

        def both(plan: StagePlan, reporter: Reporter) -> "_Beside | Any":
            watcher = watch(plan, reporter)
            return _Beside(self, plan, reporter, watcher)

        return both

    def look(self, stage: str, step: int, training: Any) -> None:
        """Compare the gates as they stand after ``step``."""
        recorded = self.gates.get((stage, step))
        if recorded is None:
            return
        self.compared.add(step)
        ours = torch.tensor(matrix(training.gates.probability_open()))
        if self.differs is None and float((ours - torch.tensor(recorded.probability)).abs().max()) > NEAR:
            self.differs = step

    def told(self) -> dict[str, Any]:
        """What came of it."""
        return {"compared": len(self.compared), "differs": self.differs}


class _Beside:
    """A watcher that compares before it lets another one look."""

    def __init__(self, compare: _Compare, plan: StagePlan, reporter: Reporter, watcher: Any) -> None:
        self.compare, self.plan, self.reporter, self.watcher = compare, plan, reporter, watcher

    def computed(self, training: Any, seen: Computed) -> None:
        """Compare what the step begins with."""
        self.compare.look(self.plan.key, self.reporter.step, training)
        if self.watcher:
            self.watcher.computed(training, seen)

    def updated(self, training: Any) -> None:
        """Let the other one look; at the wanted step that ends the replay, so its gates are compared first."""
        self.compare.look(self.plan.key, self.reporter.step + 1, training)
        if self.watcher:
            self.watcher.updated(training)
