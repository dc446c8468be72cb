"""What a picture shows, in one sentence of plain words: no names given by users, so safe in any markup."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from softmerge_core.chance import standard_error
from softmerge_core.events import Evaluation, Event, Gates, Loss


def gates_sentence(events: Sequence[Event]) -> str:
    """How many sources are closed everywhere (z = 0 in each part) and how many gates are open (z > 0)."""
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


def losses_sentence(events: Sequence[Event], series: str = "soft") -> str:
    """The newest losses in numbers."""
    loss = next((e for e in reversed(events) if isinstance(e, Loss) and e.series == series), None)
    if loss is None:
        return "Waiting for the first losses."
    if not isfinite(loss.total):
        return f"At step {loss.step:,} the loss stopped being a finite number."
    sum_up = f"task loss {loss.task:.3f} + penalty {loss.penalty:.3f} = {loss.total:.3f} nats"
    return f"At step {loss.step:,}: {sum_up}."


def accuracy_sentence(events: Sequence[Event]) -> str:
    """The newest validation accuracy of the soft merge against plain averaging."""
    last = {e.series: e.accuracy for e in events if isinstance(e, Evaluation) and e.split == "validation"}
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
    """What soft merging gained on ``n`` test samples over plain averaging, the best source and the ensemble.

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
    joined = " and ".join(filter(None, [", ".join(phrases[:-1]), phrases[-1]]))
    close = [other for other, _ in known if abs(soft - other) < standard_error(soft, other, n)]
    note = ""
    if close:
        error = max(100 * standard_error(soft, other, n) for other in close)
        note = f" (No different: closer than one standard error, {error:.1f} points on {n:,} test samples.)"
    return f"Soft merging is {joined}.{note}"


def _known(value: float | None) -> bool:
    return value is not None and isfinite(value)


def _relation(soft: float, other: float, name: str, n: int) -> str:
    points = 100 * (soft - other)
    if abs(soft - other) < standard_error(soft, other, n) or abs(points) < 0.05:
        return f"no different from {name}"
    return f"{abs(points):.1f} points {'above' if points > 0 else 'below'} {name}"
