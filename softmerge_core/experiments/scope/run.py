"""The work of a scope run: both sides trained stage by stage, measured as they train, and merged after each stage.

A run that was cut short begins again: its optimisers and generators, which it would need to go on, are not kept.
"""

import time
from math import ceil
from typing import Any

from torch import nn

from softmerge_core.alignment import align
from softmerge_core.data import Data, load_data
from softmerge_core.events import Event, Notice, Progress
from softmerge_core.experiments.base import Context
from softmerge_core.experiments.made import Made, keep_made
from softmerge_core.experiments.scope.spec import ScopeSpec
from softmerge_core.experiments.scope.told import SIDES, Told
from softmerge_core.experiments.scope.words import verdict
from softmerge_core.experiments.words import letter, plural
from softmerge_core.networks import build_network
from softmerge_core.numbers import finite
from softmerge_core.scope.measure import Scope, ScopePenalty, fuse, scope_of
from softmerge_core.scope.sides import Observer, Side, walk
from softmerge_core.zoo import add_to_library, slug
from softmerge_core.zoo.layers import scores
from softmerge_core.zoo.words import how_trained

MEASURED = 60  # epochs of a stage that are measured, at most


def run(spec: ScopeSpec, context: Context) -> dict[str, Any]:
    """Train both sides in all stages; returns barriers, accuracies and the verdict."""
    begun = time.monotonic()
    data = load_data(spec.data)
    seeds = [spec.seed + (0 if spec.same_start else number) for number in range(len(spec.sources))]
    starts = [build_network(spec.network, data.input_shape, data.classes, seed).eval() for seed in seeds]
    job = _Job(spec, data, context, starts)
    for stage in range(spec.stages):
        if not job.stage(stage):
            break
    return job.result() | {"seconds": time.monotonic() - begun}


class _Job:
    """One run: the starting points of both sides, replaced after each stage by the merged networks."""

    def __init__(self, spec: ScopeSpec, data: Data, context: Context, starts: list[nn.Module]) -> None:
        self.spec, self.data, self.context = spec, data, context
        self.initial = fuse([scope_of(start) for start in starts], how=spec.fusion)
        self.starts = dict.fromkeys(SIDES, starts)
        self.told = Told(epochs=spec.epochs * spec.stages, sources=len(spec.sources))
        self.observer = Observer(starts[0], data, self._tell)
        self.done, self.finished = 0, True
        self.merged: dict[str, list[float]] = {side: [] for side in SIDES}
        for number, start in enumerate(starts[: 1 if spec.same_start else None]):
            self.observer.histograms(f"start:{number}", start, 0)

    def _tell(self, event: Event) -> None:
        self.told.take(event)
        self.context.emit(event)

    def stage(self, stage: int) -> bool:
        """Train both sides and merge each; False when the run was stopped."""
        plain, aligned = self._sides()
        first = stage * self.spec.epochs
        if stage == 0:
            self.observer.look(plain, 0)
            self.observer.look(aligned, 0)
        self.finished = self._train(plain, aligned, first)
        for side in (plain, aligned):
            self._end(side, stage, self.told.step)
        return self.finished

    def _sides(self) -> tuple[Side, Side]:
        spec = self.spec
        settings = [spec.training(number) for number in range(len(spec.sources))]
        penalty = ScopePenalty(self.initial, spec.weight, spec.direction)
        plain = Side("plain", self.starts["plain"], self.data, settings)
        return plain, Side("aligned", self.starts["aligned"], self.data, settings, penalty)

    def _train(self, plain: Side, aligned: Side, first: int) -> bool:
        spec, total = self.spec, 2 * self.spec.epochs * self.spec.stages
        every = ceil(spec.epochs / MEASURED)
        for side, epoch in walk(plain, aligned, spec.epochs, lockstep=spec.target in ("initial", "dynamic")):
            if side is aligned:
                self._aim(plain, aligned, epoch)
            if not side.epoch(self.context.should_stop):
                return False
            if (epoch + 1) % every == 0 or epoch + 1 == spec.epochs:
                self.observer.look(side, first + epoch + 1)
            self.done += 1
            self.context.emit(Progress(step=self.done, total=total))
        return True

    def _aim(self, plain: Side, aligned: Side, epoch: int) -> None:
        """Set the target scope unless it is the initial one: once, or again every few epochs."""
        spec, found = self.spec, None
        if spec.target == "dynamic" and epoch % spec.refuse_every == 0:
            found = self._fused(aligned)
        elif spec.target in ("source", "fused") and epoch == 0:
            found = plain.scopes()[spec.target_source] if spec.target == "source" else self._fused(plain)
        if found is not None and aligned.penalty is not None:
            aligned.penalty.target = found

    def _fused(self, side: Side) -> Scope:
        return fuse(side.scopes(), how=self.spec.fusion)

    def _end(self, side: Side, stage: int, step: int) -> None:
        """Keep and measure a side's networks, the path between two of them, and their merged network."""
        for number, reason in enumerate(side.end()):
            if reason == "non-finite loss":
                text = f"The loss of Source {letter(number)} ({side.name}) stopped being finite; it was left as it was."
                self.context.emit(Notice(step=step, text=text))
            self.context.save_weights(f"{side.name}-{letter(number)}", side.networks[number].state_dict())
            self.observer.histograms(f"{side.name}:{number}", side.networks[number], step)
        self.observer.paths(side.name, side.networks, step)
        networks = side.networks
        if stage == 0 and not self.spec.same_start:
            networks = self._permuted(networks, step)
            self.observer.paths(f"{side.name}:permuted", networks, step)
        merged, accuracy = self.observer.merged(f"{side.name}:merged", networks, step)
        self.merged[side.name].append(accuracy)
        keep_made(self.context, f"{side.name}-merged", self._made(side.name, stage), merged)
        self.starts[side.name] = [merged] * len(side.networks)
        if self.spec.keep and side.name == "aligned" and stage + 1 == self.spec.stages:
            self._keep(networks)

    def _made(self, side: str, stage: int) -> Made:
        """What the merged network of a side is."""
        spec, title = self.spec, f"Average of sources, {SIDES[side]}"
        how = f"The average of {plural(len(spec.sources), 'source')} ({SIDES[side]}) after stage {stage + 1}"
        named = f"{title}: {spec.name}" if spec.name else title
        kind = {"network": spec.network, "input_shape": self.data.input_shape, "classes": self.data.classes}
        return Made(**kind, title=named, how=how)

    def _permuted(self, networks: list[nn.Module], step: int) -> list[nn.Module]:
        """The networks with matching units in the same places; from different starts, places have no meaning."""

        def notice(text: str) -> None:
            self.context.emit(Notice(step=step, text=text))

        return align(networks, self.data.train_inputs, seed=self.spec.seed, on_notice=notice)

    def _keep(self, networks: list[nn.Module]) -> None:
        """Put the sources into the reader's library."""
        for number, network in enumerate(networks):
            settings = self.spec.training(number)
            title = f"{self.spec.name or self.data.title}, aligned {letter(number)}"
            accuracy, loss = scores(network, self.data)
            start = f"random weights, with its scope pulled toward a common one (KL weight {self.spec.weight:g})"
            add_to_library(
                slug(title), network, origin="trained", network=self.spec.network, dataset=self.spec.data.dataset,
                input_shape=self.data.input_shape, classes=self.data.classes, how=how_trained(settings, start=start),
                title=title, settings=settings, accuracy=accuracy, loss=loss,
            )  # fmt: skip

    def result(self) -> dict[str, Any]:
        """Each side's barrier, accuracies (0-1), losses and scope distances (nats) and merged accuracies."""
        sides: dict[str, Any] = {
            side: finite({**self.observer.last[side], "merged": self.merged[side]}) for side in SIDES
        }
        return {
            **sides,
            "reason": verdict(self.told),
            "epochs": self.told.step,
            "stop_reason": "finished" if self.finished else "stopped",
        }
