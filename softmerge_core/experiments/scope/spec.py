"""Weight scope alignment: sources trained without and with a pull toward one scope, and what averaging makes of them.

A run that was cut short begins anew: what it would need to go on (every optimiser and generator) is not kept.
"""

import time
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any, Literal

from softmerge_core.errors import SettingsError, SourceError
from softmerge_core.events import Notice, Progress
from softmerge_core.experiments.base import Context, Spec
from softmerge_core.experiments.scope.words import SIDES, Told, letter, verdict
from softmerge_core.experiments.train.spec import data_shape
from softmerge_core.settings import DataSpec, Settings, TrainSettings, setting

if TYPE_CHECKING:
    from torch import nn

    from softmerge_core.data import Data
    from softmerge_core.scope.measure import Scope
    from softmerge_core.scope.sides import Side

MOST = 6  # sources
MEASURED = 60  # epochs of a stage that are measured, at most

# What one source does otherwise, by the name of the training factor (arXiv 2408.12237, section on mode connectivity).
FACTORS: dict[str, dict[str, Any]] = {
    "weight_decay": {"weight_decay": 0.001},
    "feature_noise": {"feature_noise": 0.5},
    "label_noise": {"label_noise": 0.2},
    "adam": {"optimiser": "adam", "learning_rate": 0.001},
    "share": {"share": 0.2},
}


class SourceTraining(Settings):
    """What may differ between sources: the training factors, and the seed of a source's own random choices."""

    optimiser: Literal["sgd", "adam"] = setting("sgd", "Optimiser", "What moves the weights.")
    learning_rate: float = setting(0.05, "Learning rate", "Step size of the optimiser.", gt=0, le=1e30)
    weight_decay: float = setting(0.0, "Weight decay", "Pull of the weights toward zero.", ge=0, le=1)
    label_noise: float = setting(0.0, "Label noise", "Share of labels replaced by random ones.", ge=0, le=1)
    feature_noise: float = setting(
        0.0, "Feature noise", "Gaussian noise on the inputs, in their standard deviations.", ge=0, le=100
    )
    share: float = setting(1.0, "Data share", "Share of the training samples this source sees.", gt=0, le=1)
    seed: int = setting(0, "Seed", "Starts the order of samples and the noise.", ge=0, le=2**31 - 1)


def seed_of(number: int) -> int:
    """A source's own seed where none is chosen, one of those that end with a barrier from the usual start."""
    return 121 + 110 * number


def sources_for(factor: str, count: int = 2) -> tuple[SourceTraining, ...]:
    """A plain source, and ``count`` - 1 others with one of FACTORS changed; each has a seed of its own."""
    others = [SourceTraining(seed=seed_of(number), **FACTORS[factor]) for number in range(1, count)]
    return SourceTraining(seed=seed_of(0)), *others


class ScopeSpec(Spec):
    """Which sources are trained, on what, and toward which scope they are pulled."""

    kind: Literal["scope"] = setting("scope", "Kind", "Which experiment: weight scope alignment.")
    data: DataSpec = setting(DataSpec(dataset="digits16"), "Data", "The samples sources learn from and are tested on.")
    network: str = setting("vgg", "Network", "The architecture, by name.")
    sources: tuple[SourceTraining, ...] = setting(
        sources_for("weight_decay"), "Sources", "How each source is trained; two or more."
    )
    same_start: bool = setting(True, "Same initial weights", "Whether all sources start from the same random weights.")
    target: Literal["initial", "source", "fused", "dynamic"] = setting(
        "initial",
        "Target scope",
        "Where all are pulled: the initial weights' scope, one source's or the fused one of all as plainly trained, or "
        "one that is fused again from the sources as they train.",
    )
    weight: float = setting(
        1.0, "KL weight", "How strong the pull is: what a nat of divergence from the target costs.", ge=0, le=1e6
    )
    epochs: int = setting(60, "Epochs", "Passes over the training samples, in each stage.", ge=1, le=10_000)
    target_source: int = setting(
        0, "Chosen source", "Whose scope is the target, counted from 0; for the target 'source'.", ge=0, more=True
    )
    refuse_every: int = setting(
        5, "Fuse again every", "Epochs between two fusions of the scopes; for the target 'dynamic'.", ge=1, more=True
    )
    direction: Literal["forward", "reverse"] = setting(
        "forward", "Direction", "Forward: KL(own, target), which keeps close; reverse: KL(target, own).", more=True
    )
    fusion: Literal["mean", "mixture"] = setting(
        "mean",
        "Fusion",
        "Mean: of the means and of the spreads; mixture: mean and spread of all weights thrown together.",
        more=True,
    )
    stages: int = setting(
        1,
        "Stages",
        "How often all are trained and merged; the next stage starts from the merged network.",
        ge=1,
        le=20,
        more=True,
    )
    schedule: Literal["constant", "cosine"] = setting(
        "cosine", "Schedule", "Whether learning rates stay, or fall to zero along a cosine in each stage.", more=True
    )
    batch_size: int = setting(64, "Batch size", "Training samples per step.", ge=1, le=65_536, more=True)
    seed: int = setting(21, "Seed of the start", "Draws the initial weights.", ge=0, le=2**31 - 1, more=True)
    keep: bool = setting(
        False, "Keep the models", "Put the sources trained with alignment into your library.", more=True
    )

    def training(self, number: int) -> TrainSettings:
        """Everything about how one source is trained in a stage."""
        own = self.sources[number].model_dump()
        return TrainSettings(epochs=self.epochs, batch_size=self.batch_size, schedule=self.schedule, **own)


def example() -> ScopeSpec:
    """A spec that runs."""
    return ScopeSpec(name="Two VGG-like networks from one start, the second with weight decay")


def check(spec: ScopeSpec) -> None:
    """Raise SoftMergeError for what is known to be wrong before any work; no torch is loaded."""
    from softmerge_core.data import check_data_spec
    from softmerge_core.networks import check_network

    if len(spec.sources) < 2:
        raise SourceError(f"expected two or more sources, got {len(spec.sources)}")
    if len(spec.sources) > MOST:
        raise SourceError(f"expected at most {MOST} sources, got {len(spec.sources)}")
    if spec.target == "source" and spec.target_source >= len(spec.sources):
        raise SettingsError(
            f"target_source: expected one of the sources 0 to {len(spec.sources) - 1}, got {spec.target_source}"
        )
    check_data_spec(spec.data)
    check_network(spec.network, *data_shape(spec.data))


def run(spec: ScopeSpec, context: Context) -> dict[str, Any]:
    """Train both sides stage by stage, measuring them meanwhile; merge after each stage, and sum it up."""
    from softmerge_core.data import load_data
    from softmerge_core.networks import build_network

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
    """One run: both sides' starting points, which each stage replaces by what it merged."""

    def __init__(self, spec: ScopeSpec, data: "Data", context: Context, starts: "list[nn.Module]") -> None:
        from softmerge_core.scope.measure import fuse, scope_of
        from softmerge_core.scope.sides import Observer

        self.spec, self.data, self.context = spec, data, context
        self.initial = fuse([scope_of(start) for start in starts], how=spec.fusion)
        self.starts = dict.fromkeys(SIDES, starts)
        self.told = Told(epochs=spec.epochs * spec.stages, sources=len(spec.sources))
        self.observer = Observer(starts[0], data, self._tell)
        self.done, self.finished = 0, True
        self.merged: dict[str, list[float]] = {side: [] for side in SIDES}
        for number, start in enumerate(starts[: 1 if spec.same_start else None]):
            self.observer.histograms(f"start:{number}", start, 0)

    def _tell(self, event: Any) -> None:
        self.told.take(event)
        self.context.emit(event)

    def stage(self, stage: int) -> bool:
        """Train, align, merge; False when the run was stopped."""
        plain, aligned = self._sides()
        first = stage * self.spec.epochs
        if stage == 0:
            self.observer.look(plain, 0)
            self.observer.look(aligned, 0)
        self.finished = self._train(plain, aligned, first)
        for side in (plain, aligned):
            self._end(side, stage, self.told.step)
        return self.finished

    def _sides(self) -> "tuple[Side, Side]":
        from softmerge_core.scope.measure import ScopePenalty
        from softmerge_core.scope.sides import Side

        spec = self.spec
        settings = [spec.training(number) for number in range(len(spec.sources))]
        penalty = ScopePenalty(self.initial, spec.weight, spec.direction)
        plain = Side("plain", self.starts["plain"], self.data, settings)
        return plain, Side("aligned", self.starts["aligned"], self.data, settings, penalty)

    def _train(self, plain: "Side", aligned: "Side", first: int) -> bool:
        from softmerge_core.scope.sides import walk

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

    def _aim(self, plain: "Side", aligned: "Side", epoch: int) -> None:
        """Set the target scope where it is not the initial one's: once, or again every few epochs."""
        spec, found = self.spec, None
        if spec.target == "dynamic" and epoch % spec.refuse_every == 0:
            found = self._fused(aligned)
        elif spec.target in ("source", "fused") and epoch == 0:
            found = plain.scopes()[spec.target_source] if spec.target == "source" else self._fused(plain)
        if found is not None and aligned.penalty is not None:
            aligned.penalty.target = found

    def _fused(self, side: "Side") -> "Scope":
        from softmerge_core.scope.measure import fuse

        return fuse(side.scopes(), how=self.spec.fusion)

    def _end(self, side: "Side", stage: int, step: int) -> None:
        """What one side has come to: weights, histograms, the path between sources, and the merged network."""
        for number, reason in enumerate(side.end()):
            if reason == "non-finite loss":
                text = f"The loss of source {letter(number)} ({side.name}) stopped being finite; it was left as it was."
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
        self.context.save_weights(f"{side.name}-merged", merged.state_dict())
        self.starts[side.name] = [merged] * len(side.networks)
        if self.spec.keep and side.name == "aligned" and stage + 1 == self.spec.stages:
            self._keep(networks)

    def _permuted(self, networks: "list[nn.Module]", step: int) -> "list[nn.Module]":
        """The sources' units in one order: they started apart, so that none of them has a meaning by its place."""
        from softmerge_core.alignment import align

        def notice(text: str) -> None:
            self.context.emit(Notice(step=step, text=text))

        return align(networks, self.data.train_inputs, seed=self.spec.seed, on_notice=notice)

    def _keep(self, networks: "list[nn.Module]") -> None:
        """Put the sources into the reader's library."""
        from softmerge_core.zoo import add_to_library, slug
        from softmerge_core.zoo.layers import scores
        from softmerge_core.zoo.words import how_trained

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
        """What both sides came to: barrier, accuracies (0-1), losses and scope distances (nats), merged accuracies."""
        return {
            **{side: finite({**self.observer.last[side], "merged": self.merged[side]}) for side in SIDES},
            "reason": verdict(self.told),
            "epochs": self.told.step,
            "stop_reason": "finished" if self.finished else "stopped",
        }


def finite(value: Any) -> Any:
    """``value`` with None for every number that is not finite: JSON knows no other way to say so."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not isfinite(value) else value
