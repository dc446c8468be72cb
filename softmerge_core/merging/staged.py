"""The course of a merge: its baselines, its stages one after another, and the choice at the end."""

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from softmerge_core.anatomy import describe, layer_choices, partition
from softmerge_core.checkpoints.sources import LazySources
from softmerge_core.data.base import MergeData
from softmerge_core.errors import SettingsError
from softmerge_core.flat import FlatSources, plain_average
from softmerge_core.merging.budget import LONG_PATIENCE, PATIENCE
from softmerge_core.merging.candidates import Judge, Score, baselines, candidate, surely_better, verdict
from softmerge_core.merging.changes import Change, Course, check_changes
from softmerge_core.merging.gate_training import GateTraining
from softmerge_core.merging.hooks import Hooks
from softmerge_core.merging.pace import Pace
from softmerge_core.merging.reporting import Reporter
from softmerge_core.merging.result import Candidate, GateTable, MergeResult, StopReason
from softmerge_core.merging.snapshots import Progression, load_progression, save_progression
from softmerge_core.merging.stages import AFRESH, StagePlan, StageResult, hopeless, plan_stages, start_of, to_come
from softmerge_core.merging.start import GateStart
from softmerge_core.settings import SoftMergeSettings

SMALLEST_GAIN = 1e-3  # nats; less is no progress


class StagedMerge:
    """A merge in progress.

    ``kept`` are the positions of the sources that take part; ``scaled`` are those sources at one scale, and ``flat`` is
    their matrix if there is one already. They are copied into it, and none is held afterwards.
    """

    def __init__(
        self,
        sources: Sequence[nn.Module],
        scaled: Sequence[nn.Module],
        data: MergeData,
        settings: SoftMergeSettings,
        names: tuple[str, ...],
        kept: tuple[int, ...],
        hooks: Hooks,
        base: nn.Module | None,
        flat: FlatSources | None = None,
        changes: Sequence[Change] = (),
        start: GateStart | None = None,
    ) -> None:
        self.sources, self.settings, self.names = LazySources.of(sources), settings, names
        self.kept, self.hooks, scaled = kept, hooks, LazySources.of(scaled)
        layers = describe(sources[0])
        self.choices = layer_choices(layers, settings.parts, kept)
        self.gated = tuple(layer for layer in layers if self.choices[layer.name] == "gate")
        if not self.gated:
            raise SettingsError("parts: no layer is left to gate; gate at least one")
        self.plans = {plan.key: plan for plan in plan_stages(self.gated, settings, start)}
        check_changes(changes, settings.steps * len(self.plans))
        self.course = Course(settings, changes, hooks.take_change)
        taken = self.sources.pick(kept)
        # The average of the sources as they came, before there is another matrix of them.
        self.average = plain_average(taken, None) if scaled.makers != taken.makers else None
        self.flat = flat or FlatSources(scaled, layers, settings.device, scaled.stored)
        self.judge = Judge(data, settings.device, self.flat.dtype)
        self.base = self.flat.flatten(base, settings.device) if base is not None and settings.relative else None
        self.generator, self.at = torch.Generator().manual_seed(settings.seed), Progression()
        self.dropped, self.batches = torch.zeros(len(kept), dtype=torch.bool), torch.empty(0, 0, dtype=torch.int64)
        self.stop_reason: StopReason = "finished"
        steps, kept_names = settings.steps, [names[k] for k in kept]
        self.reporter = Reporter(hooks.on_event, kept_names, steps, steps * len(self.plans), hooks.ahead.seconds)
        ended = 1 + sum(bool(plan.control) for plan in self.plans.values())
        self.pace = Pace(self.judge.evaluations(sources[0], hooks.ahead.samples, ended))

    def run(self, outputs: list[Tensor], notices: Sequence[str], snapshot: bytes | None) -> MergeResult:
        """Measure the baselines, train every stage and choose.

        ``outputs`` are each source's log-probabilities on the validation data.
        """
        if snapshot:
            self.at = load_progression(snapshot, self.generator)
            self.course.restore(self.at.changes)
            self.reporter.step, self.reporter.total = self.at.step, self.at.total
        else:
            for text in notices:
                self.reporter.notice(text)
            first = next(iter(self.plans.values()))
            self.reporter.stage(first, self._training(first))  # gives the page a picture before anything is measured
        self._aim(outputs)
        self._measure_baselines(outputs, report=snapshot is None)
        for plan in self.plans.values():
            self._do(plan)
            self._drop_hopeless(plan, outputs[0].shape[1])
        return self._finish()

    def _aim(self, outputs: list[Tensor]) -> None:
        """Settle what is to be predicted: the labels, or what all sources predict together."""
        if self.settings.objective == "ensemble":
            self.judge.match(self.sources.pick(self.kept), outputs)  # read one at a time

    def _do(self, plan: StagePlan) -> None:
        if self._wanted(plan):
            self.at.done[plan.key] = self._train(plan)
        if plan.key in self.at.done:
            score = self.judge.merged(self._training(plan).apply())
            self.candidates[plan.key] = candidate(plan.key, plan.title, score)

    def _wanted(self, plan: StagePlan) -> bool:
        """Whether to train a stage: not if that was done before, the merge was stopped, or the stage cannot help."""
        if plan.key in self.at.done or self.stop_reason == "stopped":
            return False
        if self._needless(plan):
            self.reporter.shorten(self.settings.steps)
            return False
        return True

    def _needless(self, plan: StagePlan) -> bool:
        """Whether gates that begin afresh are not needed: those refined from coarse ones are surely better than these.

        Then the sources share a basin, or one that the coarse gates have found.
        """
        refined, coarsest = self.candidates.get("channel"), self.candidates.get("model")
        return plan.key == AFRESH and bool(refined and coarsest and surely_better(refined, coarsest))

    def _measure_baselines(self, outputs: list[Tensor], report: bool) -> None:
        self._begin_above(*baselines(self._average(), self.judge, self.reporter.sources, outputs), report)

    def _begin_above(self, candidates: dict[str, Candidate], best_source: str, report: bool) -> None:
        """Take the baselines that any gates are compared with, and write the layers that have no gates."""
        self.candidates, self.best_source = candidates, best_source
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
            if self.course.due(self.reporter.step):
                training.change(self.course.now)
            with self.pace.step(plan.parts.granularity):
                loss = training.step(*self._batch(step))
            if not math.isfinite(loss.total):
                self._lost(plan)
                break
            self.reporter.left = self._left(plan, self.settings.steps - step - 1)
            self.reporter.training_step(plan, training, loss)
        return self._end(self._evaluate(plan, training))

    def _lost(self, plan: StagePlan) -> None:
        self.stop_reason = "non-finite loss"
        self.reporter.notice(f"The loss stopped being finite in the {plan.title}; its gates stay as they were.")

    def _training(self, plan: StagePlan) -> GateTraining:
        """Return the training of a stage: at its beginning, or as it ended if it is done."""
        settings, base = self.course.now, self.base if plan.relative else None
        if done := self.at.done.get(plan.key):
            start, settings = (done.logits, done.scale), settings.model_copy(update={"temperature": done.temperature})
        else:
            best = self.reporter.sources.index(self.best_source) if plan.control else 0
            start = start_of(plan, self.at.done, self.plans, self.dropped, settings, best)
        return GateTraining(
            self.flat, plan.parts, settings, self.generator, *start, base=base, fixed=bool(plan.control), held=plan.held
        )

    def _begin(self, plan: StagePlan) -> GateTraining:
        training = self._training(plan)
        training.watcher = self.hooks.watcher(plan, self.reporter)
        if self.at.stage == plan.key:
            training.load_state(self.at.training)
            self.at.since -= 1  # the evaluation at which the snapshot was made is made again
            return training
        self.at.stage, self.at.stage_step, self.at.best, self.at.improved = plan.key, 0, None, False
        if self.at.done:  # the first stage was announced before anything was measured
            self.reporter.stage(plan, training)
        return training

    def _end(self, last: StageResult) -> StageResult:
        """Return the gates of the best evaluation for "auto", and those of the ``last`` otherwise."""
        best = self.at.best or last
        if self.plans[last.key].control:
            self.reporter.evaluation(last.key, best.accuracy, best.loss)  # its line ends at what is kept of it
        self.at.stage, self.at.training, self.at.best = "", {}, None
        return best if self.settings.granularity == "auto" else last

    def _evaluate(self, plan: StagePlan, training: GateTraining, score: Score | None = None) -> StageResult:
        if score is None:
            with self.pace.evaluated():
                score = self.judge.merged(training.apply())
        gates = training.logits(), score.loss, score.accuracy, training.scale(), training.settings.temperature
        result = StageResult(plan.key, *gates)
        gain = math.inf if self.at.best is None else self.at.best.loss - score.loss
        self.at.since = 0 if gain > SMALLEST_GAIN else self.at.since + 1
        self.at.improved |= SMALLEST_GAIN < gain < math.inf
        if gain > 0:
            self.at.best = result
        self.reporter.evaluation(plan.key if plan.control else "soft", score.accuracy, score.loss)
        self.reporter.gates(plan, training)
        if self.hooks.observe and not plan.control:
            self.hooks.observe(self.flat.network, self.reporter.step)
        return result

    def _settled(self, plan: StagePlan) -> bool:
        """Whether a stage of "auto" has stopped improving."""
        return self.settings.granularity == "auto" and self.at.since >= self._patience(plan)

    def _patience(self, plan: StagePlan) -> int:
        """Evaluations without progress after which a stage ends."""
        waits = plan.parts.granularity == "channel" and not self.at.improved
        return LONG_PATIENCE if waits else PATIENCE

    def _left(self, plan: StagePlan, steps: int) -> tuple[float, float] | None:
        """Seconds to the end, at least and at most, with so many steps of this stage to do."""
        waits = min(max(1, self._patience(plan) - self.at.since), PATIENCE + 1)  # long patience ends with progress
        return self.pace.left(to_come(list(self.plans.values()), plan, self.settings, steps, waits))

    def _snapshot(self, training: GateTraining, step: int) -> None:
        if self.hooks.on_snapshot:
            self.at.stage_step, self.at.training, self.at.changes = step, training.state(), self.course.plain()
            self.at.step, self.at.total = self.reporter.step, self.reporter.total
            self.hooks.on_snapshot(save_progression(self.at, self.generator))

    def _prepare(self, training: GateTraining, steps: int) -> None:
        """Draw the batches and the noise of the next ``steps`` steps."""
        samples = len(self.judge.train_inputs)
        size = min(self.settings.batch_size, samples)
        self.batches = torch.randint(samples, (steps, size), generator=self.generator).to(self.settings.device)
        training.prepare(steps, size)

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        chosen = self.batches[step % self.settings.evaluate_every]
        return self.judge.train_inputs[chosen], self.judge.train_targets[chosen]

    def _drop_hopeless(self, plan: StagePlan, classes: int) -> None:
        if plan.key == "model" and "model" in self.at.done:
            values = self._training(plan).gates.values().detach()
            self.dropped = hopeless(values, [self.candidates[name].loss for name in self.reporter.sources], classes)

    def _finish(self) -> MergeResult:
        winner, reason = self._choose()
        for text in self.course.missed() if self.stop_reason != "stopped" else ():
            self.reporter.notice(text)
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
            controls={key: self._network(key) for key in self.at.done if self.plans[key].control},
            changes=self.course.taken,
        )

    def _choose(self) -> tuple[str, str]:
        trained = [key for key in self.at.done if not self.plans[key].control]
        # The best source and the plain average would ignore the layers that the user has fixed.
        whole = ["average", "best_source"] if len(self.gated) == len(self.choices) else []
        return verdict(self.candidates, trained, whole, self.settings)

    def _network(self, winner: str) -> nn.Module:
        if winner == "best_source":
            return copy.deepcopy(self.sources[self.names.index(self.best_source)]).eval()
        if winner != "average":
            self.judge.renew(self._training(self.plans[winner]).apply())
            return self.flat.detached_network(self.sources[0]).eval()
        network = self._average()
        self.judge.renew(network)
        if network is self.average:
            first = next(self.sources[0].parameters())
            return network.to(first.device, first.dtype).eval()
        return self.flat.detached_network(self.sources[0]).eval()

    def _average(self) -> nn.Module:
        """Return the plain average of the sources as they came, on the device that gates are trained on."""
        return self.flat.average() if self.average is None else self.average.to(self.settings.device, self.flat.dtype)

    def _table(self, winner: str) -> GateTable:
        """Return the winner's gates; the best source and the average are model gates, open for one source or all."""
        if winner in self.at.done:
            plan = self.plans[winner]
            gates = self._training(plan).gates
            tables = gates.probability_open(), gates.values(), gates.shares()
            return GateTable.build(plan.parts, self.names, self.kept, *tables, gates.scale(), plan.relative)
        taken = [winner == "average" or self.names[k] == self.best_source for k in self.kept]
        return GateTable.ungated(partition(self.gated, "model"), self.names, self.kept, taken)
