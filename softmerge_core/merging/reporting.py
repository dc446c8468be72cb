"""The events of a merge while it runs: stages, gates, losses, evaluations, notices and progress."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from softmerge_core.events import Counts, Evaluation, Event, Gates, Loss, Matrix, Notice, Progress, Stage
from softmerge_core.merging.gate_training import GateTraining, StepLoss
from softmerge_core.merging.stages import StagePlan
from softmerge_core.merging.summary import is_large, layer_sizes, summary

PICTURE_SECONDS = 0.1  # the shortest time between two reports of the gates, other than at evaluations
# The same for reports of a whole network's layers, each tens of kilobytes: a log may not grow with the hours of a run.
LARGE_SECONDS, NEWS = 1.0, 200  # ... and at most when the merge has gone on for another two-hundredth
LOSS_POINTS = 100  # points of each stage's loss curve; each is the mean over the steps since the last point
PICTURES = 2**20  # numbers in the reports of gates that are kept: with many channels each has a hundred thousand
DIGITS = 4


def matrix(table: Tensor) -> Matrix:
    """Return a table [parts, sources] as plain numbers; rounding never makes a gate look exactly closed or open."""
    exact = table.detach().double()
    rounded = exact.round(decimals=DIGITS)
    step = 10.0**-DIGITS
    inside = rounded.clamp(step, 1 - step)
    kept = torch.where((exact == 0) | (exact == 1), exact, inside).where(exact <= 1, rounded)
    return tuple(tuple(round(number, DIGITS) for number in row) for row in kept.tolist())


def counts(table: Tensor) -> Counts:
    """Return a table of whole numbers as plain ones."""
    return tuple(map(tuple, table.tolist()))


def _numbers(event: Gates) -> int:
    return 2 * len(event.value) * len(event.value[0]) if event.value else 0


class Reporter:
    """Turns the state of a merge into events, keeps them, and passes them on. Of large reports of gates it keeps few.

    ``sources`` are the names of the sources that take part, ``steps`` the steps of one stage, ``total`` of all stages,
    ``left`` the seconds to the end, at least and at most, as far as known.
    """

    def __init__(
        self,
        on_event: Callable[[Event], None] | None,
        sources: Sequence[str],
        steps: int,
        total: int,
        left: tuple[float, float] | None = None,
    ) -> None:
        self.on_event, self.sources, self.total = on_event, tuple(sources), total
        self.stages = total // max(steps, 1)
        self.history: list[Event] = []
        self.step = 0
        self.left = left
        self._per_point = max(1, steps // LOSS_POINTS)
        self._losses: list[StepLoss] = []
        self._shown = self._told = -math.inf
        self._begun = time.monotonic()
        self._pictured = 0  # numbers in the reports of gates in the history

    def _emit(self, event: Event) -> None:
        self.history.append(event)
        if isinstance(event, Gates):
            self._pictured += _numbers(event)
            if self._pictured > PICTURES:
                self._thin()
        if self.on_event:
            self.on_event(event)

    def _thin(self) -> None:
        """Forget every other report of gates, the newest not among them; all have been passed on."""
        pictures = [event for event in self.history if isinstance(event, Gates)]
        dropped = {id(event) for event in pictures[-2::-2]}
        self.history = [event for event in self.history if id(event) not in dropped]
        self._pictured = sum(_numbers(event) for event in pictures if id(event) not in dropped)

    def notice(self, text: str) -> None:
        """Report one sentence that the reader should know."""
        self._emit(Notice(step=self.step, text=text))

    def stage(self, plan: StagePlan, training: GateTraining) -> None:
        """Report the beginning of a stage, with its gates at the start."""
        self._losses = []
        rows: dict[str, Any] = {"parts": plan.parts.names, "groups": plan.parts.groups}
        if is_large(plan.parts, len(self.sources)):
            sizes = layer_sizes(plan.parts.groups)
            rows = {"parts": tuple(sizes), "sizes": tuple(sizes.values())}
        told = {"stage": plan.key, "title": plan.title, "sources": self.sources, "stages": self.stages}
        self._emit(Stage(step=self.step, **told, **rows))
        self.gates(plan, training)

    def gates(self, plan: StagePlan, training: GateTraining) -> None:
        """Report the present gates and the progress of the merge."""
        self._shown = time.monotonic()
        gates = training.gates
        tables: dict[str, Any] = {}
        if is_large(plan.parts, len(self.sources)):
            found = summary(gates, plan.parts)
            tables = {"share": matrix(found.share), "closed": counts(found.closed), "opened": counts(found.opened)}
            probability, value = matrix(found.probability), matrix(found.value)
        else:
            probability, value = matrix(gates.probability_open()), matrix(gates.values())
        self._emit(Gates(step=self.step, stage=plan.key, probability=probability, value=value, **tables))
        self._progress()

    def _progress(self) -> None:
        self._told = time.monotonic()
        least, most = (round(seconds, 3) for seconds in self.left) if self.left else (None, None)
        self._emit(Progress(step=self.step, total=self.total, least=least, most=most))

    def shorten(self, steps: int) -> None:
        """Report that so many steps need not be done."""
        self.total -= steps
        self._progress()

    def evaluation(self, series: str, accuracy: float, loss: float) -> None:
        """Report an accuracy (0-1) and a loss (nats) on the validation data."""
        self._emit(Evaluation(step=self.step, series=series, split="validation", accuracy=accuracy, loss=loss))

    def training_step(self, plan: StagePlan, training: GateTraining, loss: StepLoss) -> None:
        """Report one finished step; points of the loss curve and gates are sent only now and then."""
        self.loss(loss)
        now = time.monotonic()
        if now - self._shown >= (self._calm(now) if is_large(plan.parts, len(self.sources)) else PICTURE_SECONDS):
            self.gates(plan, training)
        elif now - self._told >= PICTURE_SECONDS:
            self._progress()

    def _calm(self, now: float) -> float:
        """Seconds between two reports of very many gates."""
        return max(LARGE_SECONDS, (now - self._begun) / NEWS)

    def loss(self, loss: StepLoss) -> None:
        """Count one finished step; now and then a point of the loss curve is sent."""
        self.step += 1
        self._losses.append(loss)
        if len(self._losses) >= self._per_point:
            task, penalty = (sum(column) / len(self._losses) for column in zip(*self._losses, strict=True))
            self._emit(Loss(step=self.step, series="soft", task=task, penalty=penalty, total=task + penalty))
            self._losses = []
