"""One of the merges that go side by side: ``StagedMerge``, with its steps and evaluations done by others."""

import math
from collections.abc import Sequence

from torch import Tensor, nn

from softmerge_core.data.base import MergeData
from softmerge_core.flat import FlatSources
from softmerge_core.merging.candidates import candidate
from softmerge_core.merging.gate_training import GateTraining, StepLoss
from softmerge_core.merging.hooks import Hooks
from softmerge_core.merging.result import MergeResult
from softmerge_core.merging.soft import Admitted
from softmerge_core.merging.staged import StagedMerge
from softmerge_core.merging.stages import StagePlan


class Lane(StagedMerge):
    """A merge of ``sources`` by ``ready.settings``; it is told every loss and the logits at every evaluation.

    ``hooks`` may stop it at its evaluations.
    ``flat`` are the sources as one matrix, and a working network that all lanes use in turn; None for the first.
    """

    def __init__(
        self,
        sources: Sequence[nn.Module],
        ready: Admitted,
        data: MergeData,
        hooks: Hooks,
        base: nn.Module | None,
        flat: FlatSources | None,
    ) -> None:
        kept = tuple(ready.outputs)
        super().__init__(sources, ready.scaled, data, ready.settings, ready.names, kept, hooks, base, flat)
        self.ready, self.broken = ready, False

    def begin(self, known: Sequence["Lane"]) -> None:
        """Tell what there is, and measure the baselines, unless those ``known`` have measured the same."""
        for text in self.ready.notices:
            self.reporter.notice(text)
        first = next(iter(self.plans.values()))
        self.reporter.stage(first, self._training(first))
        if known:
            self.judge = known[0].judge
            self._begin_above(dict(known[0].candidates), known[0].best_source, report=True)
        else:
            outputs = list(self.ready.outputs.values())
            self._aim(outputs)
            self._measure_baselines(outputs, report=True)

    def wants(self, plan: StagePlan) -> bool:
        """Whether it trains this stage."""
        return self._wanted(plan)

    def begin_stage(self, plan: StagePlan) -> GateTraining:
        """Begin a stage, and return its training."""
        self.broken = False
        return self._begin(plan)

    def look(self, plan: StagePlan, training: GateTraining, logits: Tensor, left: int) -> bool:
        """Take the evaluation with ``logits`` [N, classes] and so many steps ``left``; whether the stage goes on."""
        last = self._evaluate(plan, training, self.judge.outputs(logits))
        if left and not self.broken and self.hooks.should_stop and self.hooks.should_stop():
            self.stop_reason, self.broken = "stopped", True
        over = self.broken or not left
        if not over and self._settled(plan):
            self.reporter.shorten(left)
            over = True
        if over:
            self.at.done[plan.key] = self._end(last)
        return not over

    def prepare(self, training: GateTraining, steps: int) -> Tensor:
        """Draw the batches and the noise of the next ``steps``, and return the batches [steps, B]."""
        self._prepare(training, steps)
        return self.batches

    def report(self, plan: StagePlan, losses: Sequence[StepLoss], steps: int) -> None:
        """Report the losses of ``steps`` steps, or of fewer if the merge was stopped or a loss was not finite."""
        for loss in losses:
            if not math.isfinite(loss.total):
                self._lost(plan)
                self.broken = True
                return
            self.reporter.loss(loss)
        if len(losses) < steps:
            self.stop_reason, self.broken = "stopped", True

    def training_of(self, plan: StagePlan) -> GateTraining:
        """Return the training of a stage that is done, with the gates that were kept of it."""
        return self._training(plan)

    def judged(self, plan: StagePlan, logits: Tensor) -> None:
        """Make a candidate of the gates that were kept of a stage, whose ``logits`` are [N, classes]."""
        self.candidates[plan.key] = candidate(plan.key, plan.title, self.judge.outputs(logits))

    def after(self, plan: StagePlan) -> None:
        """Drop what the stage showed to be hopeless."""
        self._drop_hopeless(plan, next(iter(self.ready.outputs.values())).shape[1])

    def finish(self) -> MergeResult:
        """Choose, and return the result."""
        return self._finish()
