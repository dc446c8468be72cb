"""Merges in sentences of plain text. Only ``gate_text`` holds names that a user chose."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from softmerge_core.chance import standard_error
from softmerge_core.events import Evaluation, Event, Gates, Loss, Stage
from softmerge_core.experiments.merge.kept import AVERAGE, Kept
from softmerge_core.experiments.merge.rows import GateRows
from softmerge_core.experiments.words import listed

OTHER_STAGE = "The cell you clicked belongs to another stage."


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


def value_text(value: float) -> str:
    """A gate z (0-1) with two decimals, and in words where it is exactly 0 or 1; nothing else looks as if it were."""
    if value in (0, 1):
        return "1, fully open" if value else "0, closed"
    return "under 0.01" if value < 0.005 else "over 0.99" if value >= 0.995 else f"{value:.2f}"


def gate_text(rows: GateRows, sources: Sequence[str], row: int, source: int) -> str:
    """One gate with its names: how likely it is open, and its value z; says so where there is no such gate."""
    if row >= len(rows.value) or source >= len(sources):
        return OTHER_STAGE
    mean = "mean " if rows.each > 1 else ""
    numbers = f"P(open) = {rows.probability[row][source]:.2f}, gate z = {value_text(rows.value[row][source])}"
    return f"{rows.titles[row]} from {sources[source]}: {mean}{numbers}."


def factor_text(rows: GateRows, row: int) -> str:
    """The factor of one row with its name."""
    if row >= len(rows.scale):
        return OTHER_STAGE
    mean = " on average" if rows.each > 1 else ""
    return f"{rows.titles[row]}: the merged weights are multiplied by {rows.scale[row]:.2f}{mean}."


def losses_sentence(events: Sequence[Event], series: str = "soft", kept: Kept | None = None) -> str:
    """The newest losses in numbers, or those at the step whose gates were ``kept``."""
    if kept and not kept.learned:
        return f"{kept_text(kept)} None of the gates trained here was."
    losses = _losses(events, series, kept)
    if not losses:
        return "The gates that were kept are those before training." if kept else "Waiting for the first losses."
    loss = losses[-1]
    step = f"the kept step {kept.step:,}" if kept and kept.step is not None else f"step {loss.step:,}"
    if not isfinite(loss.total):
        return f"At {step} the loss stopped being a finite number."
    return f"At {step}: task loss {loss.task:.3f} + penalty {loss.penalty:.3f} = {loss.total:.3f} nats."


def _losses(events: Sequence[Event], series: str, kept: Kept | None) -> list[Loss]:
    """The losses of a series; of gates that were kept, those of their stage up to their step."""
    found: list[Loss] = []
    stage = ""
    for event in events:
        stage = event.stage if isinstance(event, Stage) else stage
        early = kept is None or kept.step is None or (stage == kept.winner and event.step <= kept.step)
        if isinstance(event, Loss) and event.series == series and early:
            found.append(event)
    return found


def accuracy_sentence(
    events: Sequence[Event], scores: Mapping[str, Any] | None = None, kept: Kept | None = None
) -> str:
    """The validation accuracy of the soft merge against plain averaging.

    It is that of the newest evaluation, or once the run has a result, of its ``scores``: those of the network that was
    ``kept``.
    """
    last = {e.series: e.accuracy for e in events if isinstance(e, Evaluation) and e.split == "validation"}
    if scores:
        last = {name: scores[name] for name in ("soft", "average") if scores.get(name) is not None}
    if "soft" not in last:
        return "Waiting for the first evaluation."
    share = f"{100 * last['soft']:.1f} % of the validation data"
    start = f"{kept_text(kept)} Right on {share}" if kept else f"The soft merge classifies {share} correctly"
    if "average" not in last or (kept and kept.winner == AVERAGE):
        return f"{start}."
    points = 100 * (last["soft"] - last["average"])
    if abs(points) < 0.05:
        return f"{start}, as plain averaging does."
    return f"{start}, {abs(points):.1f} points {'above' if points > 0 else 'below'} plain averaging."


def kept_text(kept: Kept) -> str:
    """Which network was kept, in short."""
    return f"Kept: {kept.title}."


def kept_gates_sentence(kept: Kept, gates: Sequence[Event]) -> str:
    """Whose gates are shown, and what they are, in short."""
    return f"{kept_text(kept)} {gates_sentence(gates) if kept.learned else 'It has no trained gates.'}"


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
