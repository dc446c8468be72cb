"""One step of gate training written down with all its numbers, by looking at the trainer while it makes it."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from softmerge_core.flat import Blocks
from softmerge_core.gates import probability_open
from softmerge_core.merging.draws import parted_gradients
from softmerge_core.merging.gate_training import MAX_GRADIENT, GateTraining
from softmerge_core.merging.optimisers import BETA1, BETA2, EPSILON
from softmerge_core.merging.reporting import Reporter
from softmerge_core.merging.stages import StagePlan
from softmerge_core.merging.watching import Computed

MOST_PARTS = 64  # parts whose numbers are written down
ENTRIES = 4  # mixed weights of each part
SAMPLES = 6  # samples of the batch


class Reached(Exception):  # noqa: N818 - no error: it ends a replay that has seen what it was made for
    """The step that was to be looked at is done."""


class OneStep:
    """Writes down the training step ``wanted`` (1 or more, of the whole run) of a merge: ``told``, as plain values.

    ``part``: the part of the network around which parts are told where there are more than ``MOST_PARTS``; by default
    the first. Raises ``Reached`` once the step is done.

    By part, each a list over the sources unless it says otherwise: ``log_alpha``, ``open`` (P, 0-1), the noise
    ``uniform`` (0-1), the ``concrete`` sample (0-1), the gate ``value`` (0-1), ``closed`` (all values are 0),
    ``share``, ``scale`` (one factor), ``weight``; ``entries`` (of ENTRIES weights, the sources' own, the base's, and
    the ``merged`` one); ``weight_gradient`` (nats per unit of weight), ``slope`` (dz / d log alpha), the gradient in
    log alpha ``by_task``, ``by_penalty`` and ``gradient``, their sum (nats); Adam's moments ``first`` and ``second``
    and, after the update, ``first_after`` and ``second_after``; ``after`` and ``open_after``.
    """

    def __init__(self, wanted: int, part: str = "") -> None:
        self.wanted, self.part = wanted, part
        self.plan: StagePlan | None = None
        self.reporter: Reporter | None = None
        self.told: dict[str, Any] = {}
        self._rows = slice(0, 0)

    def watch(self, plan: StagePlan, reporter: Reporter) -> "OneStep":
        """Look at the steps of this stage from now on; see ``Hooks``."""
        self.plan, self.reporter = plan, reporter
        return self

    def computed(self, training: GateTraining, seen: Computed) -> None:
        """Write down everything before the update, if it is the wanted step."""
        if self.plan is None or self.reporter is None or self.reporter.step + 1 != self.wanted:
            return
        names = self.plan.parts.names
        self._rows = near_rows(names, self.part)
        tables = _tables(training, seen)
        entries = _entries(training.blocks, self._rows)
        self.told = {
            **{"step": self.wanted, "stage": self.plan.key, "title": self.plan.title},
            **{"sources": list(self.reporter.sources), "names": list(names), "groups": list(self.plan.parts.groups)},
            "fixed": training.fixed,
            "settings": _settings(training),
            "batch": _batch(training, seen),
            "clip": _clip(tables["gradient"]),
            "parts": {
                name: {**_row(tables, row), "entries": entries[row - self._rows.start]}
                for row, name in list(enumerate(names))[self._rows]
            },
        }

    def updated(self, training: GateTraining) -> None:
        """Write down what the update has made of it."""
        if not self.told:
            return
        after = {
            "after": training.gates.log_alpha.detach(),
            "open_after": training.gates.probability_open().detach(),
            "first_after": training.optimiser.first[0],
            "second_after": training.optimiser.second[0],
        }
        names = self.told["names"]
        for row in range(len(names))[self._rows]:
            self.told["parts"][names[row]] |= _row(after, row)
        self.told["count"] = training.optimiser.count
        raise Reached


def near_rows(names: Sequence[str], part: str) -> slice:
    """The rows of ``names`` that are written down: all, or ``MOST_PARTS`` around the ``part``."""
    row = names.index(part) if part in names else 0
    first = min(max(0, row - MOST_PARTS // 2), max(0, len(names) - MOST_PARTS))
    return slice(first, min(len(names), first + MOST_PARTS))


@torch.no_grad()
def _tables(training: GateTraining, seen: Computed) -> dict[str, Tensor]:
    """All tables [parts, K or 1] before the update; the gradients are made by the function that training calls."""
    gates, drawn = training.gates, seen.drawn
    low, high = gates.stretch
    concrete = torch.sigmoid((seen.logistic + gates.log_alpha) / gates.temperature)
    _, by_task, by_penalty, _ = parted_gradients(gates, drawn, seen.gradient, training.settings.penalty)
    return {
        "log_alpha": gates.log_alpha.detach().clone(),
        "open": probability_open(gates.log_alpha, gates.temperature, gates.stretch),
        "uniform": torch.sigmoid(seen.logistic),
        "concrete": concrete,
        "value": (concrete * (high - low) + low).clamp(0.0, 1.0),
        "closed": drawn.closed,
        "share": drawn.shares,
        "scale": gates.scale(),
        "weight": drawn.weights,
        "slope": drawn.slope,
        "weight_gradient": seen.gradient,
        "by_task": by_task,
        "by_penalty": by_penalty,
        "gradient": by_task + by_penalty,
        "first": training.optimiser.first[0].clone(),
        "second": training.optimiser.second[0].clone(),
    }


def _row(tables: dict[str, Tensor], row: int) -> dict[str, Any]:
    """One part's numbers; what there is once a part is no list."""
    lists = {name: table[row].tolist() for name, table in tables.items()}
    return {name: found[0] if name in ("closed", "scale") else found for name, found in lists.items()}


def _entries(blocks: Blocks, rows: slice) -> list[list[dict[str, Any]]]:
    """For each row some of its mixed weights, evenly spread over its first piece: the sources' own, and the mixture."""
    places: dict[int, tuple[int, int]] = {}  # row -> (piece, position in it)
    index = blocks.index.tolist()
    start = 0
    for piece, size in enumerate(blocks.sizes):
        for position, row in enumerate(index[start : start + size]):
            places.setdefault(row, (piece, position))
        start += size
    return [_spread(blocks, *places[row]) if row in places else [] for row in range(rows.start, rows.stop)]


def _spread(blocks: Blocks, piece: int, position: int) -> list[dict[str, Any]]:
    sources, merged, _, base = blocks.pieces[piece]
    width = sources.shape[2]
    chosen = sorted({round(place * (width - 1) / (ENTRIES - 1)) for place in range(ENTRIES)})
    return [
        {
            "number": place + 1,
            "of": width,
            "sources": sources[position, :, place].float().tolist(),
            "base": None if base is None else float(base[position, 0, place]),
            "merged": float(merged[position, 0, place]),
        }
        for place in chosen
    ]


def _settings(training: GateTraining) -> dict[str, Any]:
    """What the formulas of a step need besides the gates."""
    names = ("penalty", "temperature", "stretch", "optimiser", "objective")
    found = {name: getattr(training.settings, name) for name in names}
    return {
        **found,
        "stretch": list(training.settings.stretch),
        "normalise": training.gates.normalise,
        "rate": training.optimiser.rates[0],
        "adam": [BETA1, BETA2, EPSILON],
    }


def _batch(training: GateTraining, seen: Computed) -> dict[str, Any]:
    """The batch in numbers, with the first of its samples: what was right, and how probable the network finds it."""
    probabilities = seen.outputs.float().softmax(1).cpu()
    targets = seen.targets.cpu()
    labels = targets if targets.dim() == 1 else targets.argmax(1)
    found = probabilities.argmax(1)
    samples = [
        {"label": int(label), "found": int(best), "probability": float(row[label])}
        for label, best, row in zip(labels[:SAMPLES], found, probabilities, strict=False)
    ]
    right = float((found == labels).double().mean())
    price = training.settings.penalty / len(training.gates.log_alpha)
    paid = seen.penalty / price if price else 0.0
    losses = {"task": seen.task, "penalty": seen.penalty, "paid": paid}
    return {"size": len(labels), "right": right, "samples": samples, **losses, "parts": len(training.gates.log_alpha)}


def _clip(gradient: Tensor) -> dict[str, float]:
    """The length of the gradient of all gates together, and what it is multiplied by before the update."""
    norm = float(torch.linalg.vector_norm(gradient))
    return {"norm": norm, "largest": MAX_GRADIENT, "factor": MAX_GRADIENT / norm if norm > MAX_GRADIENT else 1.0}
