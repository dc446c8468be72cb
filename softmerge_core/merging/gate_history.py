"""The history of the gates of one stage: what moved each, the task's loss or the penalty, step by step."""

from typing import Any

import torch
from torch import Tensor

from softmerge_core.gates import TEMPERATURE, probability_open
from softmerge_core.merging.draws import parted_gradients
from softmerge_core.merging.gate_training import MAX_GRADIENT, GateTraining
from softmerge_core.merging.one_step import Reached, near_rows
from softmerge_core.merging.optimisers import BETA1, BETA2, EPSILON
from softmerge_core.merging.reporting import Reporter
from softmerge_core.merging.stages import StagePlan
from softmerge_core.merging.watching import Computed

POINTS = 60  # at which the history is written down, about


class GateHistory:
    """Follows the gates of the ``stage`` to its end, or up to the step ``until`` of the run.

    The replay has to come by the beginning of the stage, for moments begin there. An update is divided by its parts:
    Adam's first moment is a sum over gradients, so it is that of the loss plus that of the penalty, and each moves log
    alpha by its share over the same second moment. Raises ``Reached`` at the end.

    Up to the ``step`` at which a gate was closed for good (z = 0 without noise; -1: it is open), or to the end:
    ``steps``, in how many of them the task's loss pushed it ``down`` or ``up``, and what moved log alpha.
    """

    def __init__(self, stage: str, until: int, part: str = "") -> None:
        self.stage, self.until, self.part = stage, until, part
        self.plan: StagePlan | None = None
        self.reporter: Reporter | None = None
        self._every = 1
        self._now: dict[str, Tensor] = {}
        self._at_close: dict[str, Tensor] = {}
        self._points: list[tuple[int, dict[str, Tensor]]] = []
        self._first = 0
        self._about: dict[str, Any] = {}
        self._temperature = TEMPERATURE
        self._before = torch.empty(0)

    def watch(self, plan: StagePlan, reporter: Reporter) -> "GateHistory | None":
        """Look at the steps of the stage once it begins; see ``Hooks``."""
        if self._points:
            raise Reached
        if plan.key != self.stage:
            return None
        self.plan, self.reporter, self._first = plan, reporter, reporter.step
        return self

    def computed(self, training: GateTraining, seen: Computed) -> None:
        """Take the parts of the gradient into the moments."""
        if not self._points:
            self._begin(training)
        _, task, price, _ = parted_gradients(training.gates, seen.drawn, seen.gradient, training.settings.penalty)
        norm = float(torch.linalg.vector_norm(task + price))
        factor = MAX_GRADIENT / norm if norm > MAX_GRADIENT else 1.0
        adam = training.optimiser.kind == "adam"
        for name, part in (("task", task), ("price", price)):
            moment, gradient = self._now[f"moment_{name}"], part.double() * factor
            moment.copy_(moment.lerp(gradient, 1 - BETA1) if adam else gradient)
        self._now["down"] += task > 0
        self._now["up"] += task < 0
        self._now["steps"] += 1
        self._before = training.logits()

    def updated(self, training: GateTraining) -> None:
        """Divide what the update has moved, and note where gates were closed."""
        size = _step_sizes(training)
        for name in ("task", "price"):
            self._now[f"moved_{name}"] -= size * self._now[f"moment_{name}"]
        shut = training.gates.values() == 0
        still = shut & (self._at_close["step"] >= 0)  # as they were
        step = self._step + 1
        for name, table in self._now.items():
            self._at_close[name] = torch.where(still, self._at_close[name], table)
        self._at_close["step"] = torch.where(still, self._at_close["step"], torch.where(shut, step, -1))
        if (step - self._first) % self._every == 0 or step >= self.until:
            self._point(training, step)
        if step >= self.until:
            raise Reached

    @property
    def _step(self) -> int:
        return self.reporter.step if self.reporter else 0

    def _begin(self, training: GateTraining) -> None:
        zeros = torch.zeros(training.gates.log_alpha.shape, dtype=torch.float64)
        names = ("moment_task", "moment_price", "moved_task", "moved_price", "down", "up", "steps")
        self._now = {name: zeros.clone() for name in names}
        shut = torch.where(training.gates.values() == 0, self._first, -1).double()
        self._at_close = {name: zeros.clone() for name in names} | {"step": shut}
        self._about = {
            "penalty": training.settings.penalty,
            "stretch": list(training.gates.stretch),
            "fixed": training.fixed,
            "optimiser": training.optimiser.kind,
        }
        self._every = max(1, min(training.settings.steps, self.until - self._first) // POINTS)
        self._point(training, self._first)

    def _point(self, training: GateTraining, step: int) -> None:
        gates, self._temperature = training.gates, training.gates.temperature
        tables = {
            "log_alpha": training.logits(),
            "open": probability_open(training.logits(), gates.temperature, gates.stretch),
            "moved_task": self._now["moved_task"].clone(),
            "moved_price": self._now["moved_price"].clone(),
        }
        self._points.append((step, tables))

    @property
    def told(self) -> dict[str, Any]:
        """What was seen, of at most ``MOST_PARTS`` parts, those around the ``part``; empty where nothing was."""
        plan, reporter, seen = self.plan, self.reporter, self._points
        if plan is None or reporter is None or not seen:
            return {}
        names, ends = plan.parts.names, self._ends()
        return {
            **{"stage": plan.key, "title": plan.title, "sources": list(reporter.sources)},
            **{"names": list(names), "groups": list(plan.parts.groups)},
            **self._about,
            "steps": [step for step, _ in seen],
            "parts": {
                name: {
                    "course": {key: [_rounded(at[key][row]) for _, at in seen] for key in seen[0][1]},
                    "close": {key: table[row].tolist() for key, table in ends.items()},
                }
                for row, name in list(enumerate(names))[near_rows(names, self.part)]
            },
        }

    def _ends(self) -> dict[str, Tensor]:
        """What is told of the moment at which a gate was closed; ``alone``: P(open), had only the penalty moved it."""
        names = ("step", "steps", "down", "up", "moved_task", "moved_price")
        first = self._points[0][1]["log_alpha"].double()
        alone = probability_open(first + self._at_close["moved_price"], self._temperature, self._about["stretch"])
        return {**{name: self._at_close[name] for name in names}, "alone": alone}


def _step_sizes(training: GateTraining) -> Tensor:
    """How far one unit of the first moment [parts, K] moves log alpha in the update that was just made."""
    optimiser = training.optimiser
    rate, second, count = optimiser.rates[0], optimiser.second[0].double(), optimiser.count
    if optimiser.kind != "adam":
        return torch.full_like(second, rate)
    return rate / (1 - BETA1**count) / ((second / (1 - BETA2**count)).sqrt() + EPSILON)


def _rounded(row: Tensor) -> list[float]:
    return [round(number, 5) for number in row.tolist()]
