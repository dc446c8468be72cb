"""Soft merging: learn which source each part of a network should come from, by training gates and never a weight.

Chen, Wu, Nguyen, Liu, Yesha 2023 (arXiv 2309.12259). Read ``soft_merge`` first; everything else is a step of it.
"""

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from softmerge_core.alignment.scaling import one_scale
from softmerge_core.anatomy import describe, layer_choices, partition
from softmerge_core.checks import (
    admit,
    check_architecture,
    check_merge_data,
    non_finite_tensor,
    unique_names,
    usable_device,
)
from softmerge_core.data.base import MergeData
from softmerge_core.errors import SettingsError, SourceError
from softmerge_core.events import Event
from softmerge_core.flat import FlatSources, plain_average
from softmerge_core.merging.candidates import Judge, Score, baselines, candidate, choose, why
from softmerge_core.merging.gate_training import GateTraining
from softmerge_core.merging.reporting import Reporter
from softmerge_core.merging.result import Candidate, GateTable, MergeResult, StopReason
from softmerge_core.merging.snapshots import Progression, load_progression, save_progression
from softmerge_core.merging.stages import StagePlan, StageResult, hopeless, plan_stages, start_of
from softmerge_core.settings import SoftMergeSettings

PATIENCE = 4  # evaluations in a row that do not lower the validation loss, after which a stage of "auto" ends
SMALLEST_GAIN = 1e-4  # nats; less is no progress

__all__ = ["Candidate", "GateTable", "MergeData", "MergeResult", "soft_merge"]


@dataclass(frozen=True)
class _Hooks:
    on_event: Callable[[Event], None] | None = None
    should_stop: Callable[[], bool] | None = None
    observe: Callable[[nn.Module, int], None] | None = None
    on_snapshot: Callable[[bytes], None] | None = None


def soft_merge(
    sources: Sequence[nn.Module],
    data: MergeData,
    settings: SoftMergeSettings | None = None,
    *,
    names: Sequence[str] | None = None,
    base: nn.Module | None = None,
    on_event: Callable[[Event], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    observe: Callable[[nn.Module, int], None] | None = None,
    snapshot: bytes | None = None,
    on_snapshot: Callable[[bytes], None] | None = None,
) -> MergeResult:
    """Merge two or more ``sources`` of one architecture into one network by training gates over their frozen weights.

    ``sources`` are never modified. ``names`` are shown in events, tables and errors ("source 1", ... by default).
    ``base`` is the network all sources were trained from, if it is known: gates may then weigh what each has learned.
    ``on_event`` receives every event; ``should_stop`` is asked before each step. ``observe(network, step)`` sees the
    merged network, without noise, at every evaluation and must not change it. ``on_snapshot`` receives a snapshot at
    every evaluation; pass the newest one as ``snapshot`` to resume an interrupted merge exactly.

    Granularity "auto" goes from coarse to fine and keeps the better one of the best source and the plain average,
    unless gates are surely better on the validation data (see ``candidates.choose``); a stage ends when it no longer
    improves. Any other granularity returns its gates as trained.
    The same arguments and seed on one CPU build give bit-identical gates and weights.

    Raises SourceError, DataError or SettingsError before any training starts.
    """
    settings = settings or SoftMergeSettings()
    settings = settings.model_copy(update={"device": usable_device(settings.device)})
    named = unique_names(names or [f"source {number}" for number in range(1, len(sources) + 1)])
    check_architecture(sources, named)
    check_merge_data(data, sources[0], named[0])
    _check_base(base, sources[0], named[0], settings)
    outputs, notices = admit(sources, named, data.validation_inputs, settings.non_finite, settings.device)
    scaled, told = one_scale([sources[k] for k in outputs], [named[k] for k in outputs], data.train_inputs)
    hooks = _Hooks(on_event, should_stop, observe, on_snapshot)
    merge = _Merge(sources, scaled, data, settings, named, tuple(outputs), hooks, base)
    return merge.run(list(outputs.values()), [*notices, *told], snapshot)


def _check_base(base: nn.Module | None, first: nn.Module, name: str, settings: SoftMergeSettings) -> None:
    """Raise SourceError unless the base is of the sources' architecture, and finite; it must be known if it is used."""
    if base is None:
        if settings.relative:
            raise SourceError("gates relative to the base: expected the base model that sources started from, got none")
        return
    check_architecture((first, base), (name, "base model"))
    if tensor := non_finite_tensor(base):
        raise SourceError(f"base model: {tensor} has NaN or Inf in it; expected finite numbers")


class _Merge:
    """A merge in progress.

    ``kept`` are the positions of the sources that take part; ``scaled`` are those sources at one scale.
    """

    def __init__(
        self,
        sources: Sequence[nn.Module],
        scaled: Sequence[nn.Module],
        data: MergeData,
        settings: SoftMergeSettings,
        names: tuple[str, ...],
        kept: tuple[int, ...],
        hooks: _Hooks,
        base: nn.Module | None,
    ) -> None:
        self.sources, self.settings, self.names, self.kept, self.hooks = sources, settings, names, kept, hooks
        layers = describe(sources[0])
        self.choices = layer_choices(layers, settings.parts, kept)
        self.gated = tuple(layer for layer in layers if self.choices[layer.name] == "gate")
        if not self.gated:
            raise SettingsError("parts: no layer is left to gate; gate at least one")
        self.flat = FlatSources(scaled, layers, settings.device)
        self.rescaled = any(scaled[number] is not sources[k] for number, k in enumerate(kept))
        self.judge = Judge(data, settings.device, self.flat.dtype)
        self.base = self.flat.flatten(base, settings.device) if base is not None else None
        self.plans = {plan.key: plan for plan in plan_stages(self.gated, settings, base is not None)}
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.at = Progression()
        self.dropped = torch.zeros(len(kept), dtype=torch.bool)
        self.batches = torch.empty(0, 0, dtype=torch.int64)
        self.stop_reason: StopReason = "finished"
        kept_names = [names[k] for k in kept]
        self.reporter = Reporter(hooks.on_event, kept_names, settings.steps, settings.steps * len(self.plans))

    def run(self, outputs: list[Tensor], notices: Sequence[str], snapshot: bytes | None) -> MergeResult:
        """Measure the baselines, train every stage and choose.

        ``outputs`` are each source's log-probabilities on the validation data.
        """
        if snapshot:
            self.at = load_progression(snapshot, self.generator)
            self.reporter.step = self.at.step
        else:
            for text in notices:
                self.reporter.notice(text)
            first = next(iter(self.plans.values()))
            self.reporter.stage(first, self._training(first))  # gives the page a picture before anything is measured
        self._measure_baselines(outputs, report=snapshot is None)
        for plan in self.plans.values():
            if plan.key not in self.at.done and self.stop_reason != "stopped":
                self.at.done[plan.key] = self._train(plan)
            self._drop_hopeless(plan, outputs[0].shape[1])
        return self._finish()

    def _measure_baselines(self, outputs: list[Tensor], report: bool) -> None:
        self.candidates, self.best_source = baselines(self._average(), self.judge, self.reporter.sources, outputs)
        self.flat.fix(self.choices, self.kept)
        for name, found in self.candidates.items() if report else ():
            self.reporter.evaluation(name, found.accuracy, found.loss)

    def _train(self, plan: StagePlan) -> StageResult:
        """Train one stage until its end, until it is stopped, or until its first non-finite loss."""
        training = self._begin(plan)
        for step in range(self.at.stage_step, self.settings.steps):
            if step % self.settings.evaluate_every == 0:
                last = self._evaluate(plan, training)
                if self._settled(plan):
                    self.reporter.shorten(self.settings.steps - step)
                    return self._end(last)
                self._snapshot(training, step)
                self._prepare(training, min(self.settings.evaluate_every, self.settings.steps - step))
            if self.hooks.should_stop and self.hooks.should_stop():
                self.stop_reason = "stopped"
                break
            loss = training.step(*self._batch(step))
            if not math.isfinite(loss.total):
                self.stop_reason = "non-finite loss"
                self.reporter.notice(f"The loss stopped being finite in the {plan.title}; its gates stay as they were.")
                break
            self.reporter.training_step(plan, training, loss)
        return self._end(self._evaluate(plan, training))

    def _training(self, plan: StagePlan) -> GateTraining:
        """Return the training of a stage: at its beginning, or as it ended if it is done."""
        if plan.key in self.at.done:
            logits, scale = self.at.done[plan.key].logits, self.at.done[plan.key].scale
        else:
            best = self.reporter.sources.index(self.best_source) if plan.control else 0
            logits, scale = start_of(plan, self.at.done, self.plans, self.dropped, self.settings, best)
        base = self.base if plan.relative else None
        start = (logits, scale)
        return GateTraining(
            self.flat, plan.parts, self.settings, self.generator, *start, base=base, fixed=bool(plan.control)
        )

    def _begin(self, plan: StagePlan) -> GateTraining:
        training = self._training(plan)
        if self.at.stage == plan.key:
            training.load_state(self.at.training)
            self.at.since -= 1  # the evaluation at which the snapshot was made is made again
            return training
        self.at.stage, self.at.stage_step, self.at.best = plan.key, 0, None
        if self.at.done:  # the first stage was announced before anything was measured
            self.reporter.stage(plan, training)
        return training

    def _end(self, last: StageResult) -> StageResult:
        """Return the gates of the best evaluation for "auto", and those of the ``last`` otherwise."""
        best = self.at.best or last
        self.at.stage, self.at.training, self.at.best = "", {}, None
        return best if self.settings.granularity == "auto" else last

    def _evaluate(self, plan: StagePlan, training: GateTraining) -> StageResult:
        network = training.apply()
        score = self.judge.merged(network)
        result = StageResult(plan.key, training.logits(), score.loss, score.accuracy, training.scale())
        gain = math.inf if self.at.best is None else self.at.best.loss - score.loss
        self.at.since = 0 if gain > SMALLEST_GAIN else self.at.since + 1
        if gain > 0:
            self.at.best = result
        self.reporter.evaluation(plan.key if plan.control else "soft", score.accuracy, score.loss)
        self.reporter.gates(plan, training)
        if self.hooks.observe and not plan.control:
            self.hooks.observe(network, self.reporter.step)
        return result

    def _settled(self, plan: StagePlan) -> bool:
        """Whether a stage of "auto" has stopped improving."""
        return self.settings.granularity == "auto" and self.at.since >= PATIENCE

    def _snapshot(self, training: GateTraining, step: int) -> None:
        if self.hooks.on_snapshot:
            self.at.stage_step, self.at.step, self.at.training = step, self.reporter.step, training.state()
            self.hooks.on_snapshot(save_progression(self.at, self.generator))

    def _prepare(self, training: GateTraining, steps: int) -> None:
        """Draw the batches and the noise of the next ``steps`` steps."""
        samples = len(self.judge.train_inputs)
        size = min(self.settings.batch_size, samples)
        self.batches = torch.randint(samples, (steps, size), generator=self.generator).to(self.settings.device)
        training.prepare(steps, size)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        chosen = self.batches[step % self.settings.evaluate_every]
        return self.judge.train_inputs[chosen], self.judge.train_labels[chosen]

    def _drop_hopeless(self, plan: StagePlan, classes: int) -> None:
        if plan.key == "model" and "model" in self.at.done:
            values = self._training(plan).gates.values().detach()
            losses = [self.candidates[name].loss for name in self.reporter.sources]
            self.dropped = hopeless(values, losses, classes)

    def _finish(self) -> MergeResult:
        for key in self.at.done:
            plan = self.plans[key]
            self.candidates[key] = candidate(key, plan.title, self._score(plan))
        winner, reason = self._choose()
        return MergeResult(
            model=self._network(winner),
            gates=self._table(winner),
            history=tuple(self.reporter.history),
            stop_reason=self.stop_reason,
            settings=self.settings,
            winner=winner,
            reason=reason,
            candidates=self.candidates,
            best_source=self.best_source,
            excluded=tuple(name for k, name in enumerate(self.names) if k not in self.kept),
            controls={plan.control: self._network(key) for key, plan in self.plans.items() if self._controlled(key)},
        )

    def _score(self, plan: StagePlan) -> Score:
        return self.judge.merged(self._training(plan).apply())

    def _controlled(self, key: str) -> bool:
        return bool(self.plans[key].control) and key in self.at.done

    def _choose(self) -> tuple[str, str]:
        trained = [key for key in self.at.done if not self.plans[key].control]
        if self.settings.granularity != "auto":
            return trained[0], why(self.candidates, trained[0], "as trained: validation loss")
        # The best source and the plain average would ignore the layers that the user has fixed.
        whole = ["best_source", "average"] if len(self.gated) == len(self.choices) else []
        winner = choose(self.candidates, whole, trained)
        return winner, why(self.candidates, winner, "won: validation loss")

    def _network(self, winner: str) -> nn.Module:
        if winner == "best_source":
            return copy.deepcopy(self.sources[self.names.index(self.best_source)]).eval()
        if winner != "average":
            self.judge.merged(self._training(self.plans[winner]).apply())
            return self.flat.detached_network(self.sources[0]).eval()
        network = self._average()
        self.judge.merged(network)
        if self.rescaled:
            first = next(self.sources[0].parameters())
            return network.to(first.device, first.dtype).eval()
        return self.flat.detached_network(self.sources[0]).eval()

    def _average(self) -> nn.Module:
        """Return the plain average of the sources as they came, on the device that gates are trained on."""
        if self.rescaled:
            average = plain_average([self.sources[k] for k in self.kept], None)
            return average.to(self.settings.device, self.flat.dtype)
        return self.flat.average()

    def _table(self, winner: str) -> GateTable:
        """Return the winner's gates; the best source and the average are model gates, open for one source or all."""
        if winner in self.at.done:
            plan = self.plans[winner]
            gates = self._training(plan).gates
            tables = gates.probability_open(), gates.values(), gates.shares()
            return GateTable.build(plan.parts, self.names, self.kept, *tables, gates.scale(), plan.relative)
        taken = [float(winner == "average" or self.names[k] == self.best_source) for k in self.kept]
        values = torch.tensor([taken])
        parts = partition(self.gated, "model")
        tables = values, values, values / values.sum()
        return GateTable.build(parts, self.names, self.kept, *tables, torch.ones(1, 1))
