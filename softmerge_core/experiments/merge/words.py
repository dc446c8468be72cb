"""Merges in sentences of plain text. Only ``gate_text`` holds names that a user chose."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from softmerge_core.chance import standard_error
from softmerge_core.events import Evaluation, Event, Gates, Loss, Stage
from softmerge_core.experiments.words import listed


def gates_sentence(events: Sequence[Event]) -> str:
    """The number of sources that are closed everywhere (z = 0 in each part) and the share of open gates (z > 0)."""
    gates = next((event for event in reversed(events) if isinstance(event, Gates)), None)
    if gates is None or not gates.value or not gates.value[0]:
        return "Waiting for the first gates."
    columns = list(zip(*gates.value, strict=True))
    closed = sum(all(cell == 0 for cell in column) for column in columns)
    share = sum(cell > 0 for column in columns for cell in column) / (len(columns) * len(gates.value))
    if closed == 0:
        first = f"All {len(columns)} sources take part"
    else:
        first = f"{closed} of {len(columns)} sources {'is' if closed == 1 else 'are'} closed everywhere"
    return f"{first}; {_share(share)} of gates are open."


def _share(share: float) -> str:
    """Whole percent that never rounds to "all" or "none" what is not."""
    percent = round(100 * share)
    return f"{min(max(percent, 1), 99) if 0 < share < 1 else percent} %"


def gate_text(stage: Stage, gates: Gates, part: int, source: int) -> str:
    """One gate with its names: how likely it is open, and its value z; says so where there is no such gate."""
    if part >= len(gates.value) or source >= len(stage.sources):
        return "The cell you clicked belongs to another stage."
    value, probability = gates.value[part][source], gates.probability[part][source]
    exact = {0.0: ", exactly closed", 1.0: ", exactly open"}.get(value, "")
    between = f"{stage.parts[part]} from {stage.sources[source]}"
    return f"{between}: P(open) = {probability:.2f}, gate z = {value:.2f}{exact}."


def losses_sentence(events: Sequence[Event], series: str = "soft") -> str:
    """The newest losses in numbers."""
    loss = next((e for e in reversed(events) if isinstance(e, Loss) and e.series == series), None)
    if loss is None:
        return "Waiting for the first losses."
    if not isfinite(loss.total):
        return f"At step {loss.step:,} the loss stopped being a finite number."
    sum_up = f"task loss {loss.task:.3f} + penalty {loss.penalty:.3f} = {loss.total:.3f} nats"
    return f"At step {loss.step:,}: {sum_up}."


def accuracy_sentence(events: Sequence[Event], kept: Mapping[str, Any] | None = None) -> str:
    """The validation accuracy of the soft merge against plain averaging.

    It is that of the newest evaluation, or once the run has a result, of the network that was ``kept``.
    """
    last = {e.series: e.accuracy for e in events if isinstance(e, Evaluation) and e.split == "validation"}
    if kept:
        last = {name: kept[name] for name in ("soft", "average") if kept.get(name) is not None}
    if "soft" not in last:
        return "Waiting for the first evaluation."
    start = f"The soft merge classifies {100 * last['soft']:.1f} % of the validation data correctly"
    if "average" not in last:
        return f"{start}."
    points = 100 * (last["soft"] - last["average"])
    if abs(points) < 0.05:
        return f"{start}, as plain averaging does."
    return f"{start}, {abs(points):.1f} points {'above' if points > 0 else 'below'} plain averaging."


def gain_sentence(result: Mapping[str, Any], n: int) -> str:
    """The gain of soft merging, on ``n`` test samples, over plain averaging, the best source and the ensemble.

    A difference below one standard error is called no difference, and the sentence says so.
    """
    accuracy = result["accuracy"]
    count = len(accuracy.get("sources") or [])
    others = {
        "average": "plain averaging",
        "best_source": "the best single source",
        "ensemble": f"the ensemble of all {count}" if count else "the ensemble",
    }
    known = [(accuracy[key], name) for key, name in others.items() if _known(accuracy.get(key))]
    if not _known(accuracy.get("soft")) or not known:
        return "There is no test accuracy to compare."
    soft = accuracy["soft"]
    phrases = [_relation(soft, other, name, n) for other, name in known]
    close = [other for other, _ in known if abs(soft - other) < standard_error(soft, other, n)]
    note = ""
    if close:
        error = max(100 * standard_error(soft, other, n) for other in close)
        note = f" (No different: closer than one standard error, {error:.1f} points on {n:,} test samples.)"
    return f"Soft merging is {listed(phrases)}.{note}"


def _known(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _relation(soft: float, other: float, name: str, n: int) -> str:
    points = 100 * (soft - other)
    if abs(soft - other) < standard_error(soft, other, n) or abs(points) < 0.05:
        return f"no different from {name}"
    return f"{abs(points):.1f} points {'above' if points > 0 else 'below'} {name}"
