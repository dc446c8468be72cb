"""Merges in sentences of plain text. Only ``gate_text`` holds names that a user chose."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from softmerge_core.errors import SoftMergeError
from softmerge_core.events import Evaluation, Event, Gates, Loss, Stage, newest
from softmerge_core.experiments.admission import memory_needed
from softmerge_core.experiments.differences import coarse, compared, gap
from softmerge_core.experiments.merge.kept import AVERAGE, Kept
from softmerge_core.experiments.merge.rows import GateRows
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.words import percent, source_text
from softmerge_core.memory import memory_text
from softmerge_core.numbers import percent_text, points_text
from softmerge_core.settings import Objective
from softmerge_core.statistics import Measured, difference

OTHER_STAGE = "The cell you clicked belongs to another stage."


def gates_sentence(events: Sequence[Event]) -> str:
    """The number of sources that are closed everywhere (z = 0 in each part) and the share of open gates (z > 0)."""
    gates = newest(events, Gates)
    if gates is None or not gates.value or not gates.value[0]:
        return "Waiting for the first gates."
    columns = list(zip(*gates.value, strict=True))
    closed = sum(all(cell == 0 for cell in column) for column in columns)
    share = sum(cell > 0 for column in columns for cell in column) / (len(columns) * len(gates.value))
    stage = next((event for event in reversed(events) if isinstance(event, Stage) and event.stage == gates.stage), None)
    if stage and sum(stage.sizes) and gates.closed:
        share = 1 - sum(map(sum, gates.closed)) / (len(columns) * sum(stage.sizes))
    if closed == 0:
        first = f"All {len(columns)} sources take part"
    else:
        first = f"{closed} of {len(columns)} sources {'is' if closed == 1 else 'are'} closed everywhere"
    return f"{first}; {_share(share)} of gates are open."


def memory_sentence(spec: MergeSpec) -> str:
    """The memory that a merge's weights will take; "" where the files of its sources do not tell."""
    try:
        needed = memory_needed(spec.sources, aligned=spec.align != "none", relative=spec.settings.relative)
    except SoftMergeError:
        return ""
    return f"Weights will take about {memory_text(needed)} of memory."


def _share(share: float) -> str:
    """Whole percent that never rounds to "all" or "none" what is not."""
    percent = round(100 * share)
    return f"{min(max(percent, 1), 99) if 0 < share < 1 else percent}\u00a0%"


def value_text(value: float) -> str:
    """A gate z (0-1) with two decimals, and in words where it is exactly 0 or 1; nothing else looks as if it were."""
    if value in (0, 1):
        return "1, fully open" if value else "0, closed"
    return "under 0.01" if value < 0.005 else "over 0.99" if value >= 0.995 else f"{value:.2f}"


def deep_text(rows: GateRows, row: int, source: int) -> str:
    """The gates of one source in a row that stands for many: their means, and how many are exactly 0 or 1."""
    numbers = f"P(open) = {rows.probability[row][source]:.2f}, z = {value_text(rows.value[row][source])}"
    share = f"share {percent_text(rows.share[row][source])}"
    if rows.sizes[row] == 1:
        return f"{numbers}, {share}"
    closed, opened = rows.closed[row][source], rows.opened[row][source]
    return f"mean {numbers}, {share}; of {rows.sizes[row]:,} gates {closed:,} closed, {opened:,} fully open"


def gate_text(rows: GateRows, sources: Sequence[str], row: int, source: int) -> str:
    """One gate with its names: how likely it is open, and its value z; says so where there is no such gate."""
    if row >= len(rows.value) or source >= len(sources):
        return OTHER_STAGE
    mean = "mean " if rows.each > 1 else ""
    numbers = f"P(open) = {rows.probability[row][source]:.2f}, gate z = {value_text(rows.value[row][source])}"
    if rows.keys:
        mean, numbers = "", deep_text(rows, row, source)
    return f"{rows.titles[row]} from {source_text(sources[source])}: {mean}{numbers}."


def factor_text(rows: GateRows, row: int) -> str:
    """The factor of one row with its name."""
    if row >= len(rows.scale):
        return OTHER_STAGE
    mean = " on average" if rows.each > 1 else ""
    return f"{rows.titles[row]}: the merged weights are multiplied by {rows.scale[row]:.2f}{mean}."


def losses_sentence(
    events: Sequence[Event], series: str = "soft", kept: Kept | None = None, objective: Objective = "labels"
) -> str:
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
    task = "task loss" if objective == "labels" else "loss against what the sources predict together"
    return f"At {step}, on one batch: {task} {loss.task:.3f} + penalty {loss.penalty:.3f} = {loss.total:.3f} nats."


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
    share = f"{percent(last['soft'])} of the validation data"
    start = f"{kept_text(kept)} Right on {share}" if kept else f"The soft merge classifies {share} correctly"
    if "average" not in last or (kept and kept.winner == AVERAGE):
        return f"{start}."
    points = 100 * (last["soft"] - last["average"])
    if abs(points) < 0.05:
        return f"{start}, as plain averaging does."
    return f"{start}, {points_text(points / 100)} {'above' if points > 0 else 'below'} plain averaging."


def kept_text(kept: Kept) -> str:
    """Which network was kept, in short."""
    return f"Kept: {kept.title}."


def kept_gates_sentence(kept: Kept, gates: Sequence[Event]) -> str:
    """Whose gates are shown, and what they are, in short."""
    return f"{kept_text(kept)} {gates_sentence(gates) if kept.learned else 'It has no trained gates.'}"


def gain_sentence(result: Mapping[str, Any], n: int) -> str:
    """The gain of soft merging, on ``n`` test samples, over plain averaging, the best source and the ensemble.

    Only differences that the samples can tell apart are given in points. The best source was chosen by its validation
    loss, as the sentence says; soft merging is set beside the listed source with the highest test accuracy as well. A
    merge is done once, so other seeds may give something else.
    """
    accuracy = result["accuracy"]
    count = len(accuracy.get("sources") or [])
    others = {
        "average": "plain averaging",
        "best_source": "the best single source",
        "ensemble": f"the ensemble of all {count}" if count else "the ensemble",
    }
    soft = measured(result, "soft", n)
    known = {name: other for key, name in others.items() if (other := measured(result, key, n))}
    if soft is None or not known:
        return "There is no test accuracy to compare."
    found = {name: difference(soft, other) for name, other in known.items()}
    text = compared("Soft merging", found) + _best_listed(result, soft, n) + _rescaled(result, soft, n)
    text += _against_trunk(result, soft, n) + _recovered(result, soft, n)
    return f"{text}{coarse(list(found.values()))} One seed."


def measured(result: Mapping[str, Any], key: str | int, n: int) -> Measured | None:
    """A network of the result by its key, or a source by its position; None where its accuracy is not known."""
    accuracy, correct = result["accuracy"], result.get("correct") or {}
    if isinstance(key, int):
        accuracy, correct = accuracy["sources"], dict(enumerate(correct.get("sources") or []))
    value = accuracy[key] if isinstance(key, int) else accuracy.get(key)
    if value is None or not isfinite(value):
        return None
    return Measured((value,), n, (str(correct.get(key) or ""),))


def _best_listed(result: Mapping[str, Any], soft: Measured, n: int) -> str:
    """On what the best source was chosen, and how soft merging stands to the one that is best on test data."""
    best, sources = measured(result, "best_source", n), range(len(result["accuracy"].get("sources") or []))
    listed_ones = [source for number in sources if (source := measured(result, number, n))]
    if best is None or not listed_ones:
        return ""
    chosen = " The best single source is the one with the lowest validation loss"
    top = max(listed_ones, key=lambda source: source.mean)
    if top.mean <= best.mean:
        return f"{chosen}; none is better on the test samples."
    found = difference(soft, top)
    stands = f"is {gap(found, 'it')}" if found.told_apart else "cannot be told apart from it"
    return f"{chosen}; another one is right on {percent(top.mean)} of the test samples, and soft merging {stands}."


def _rescaled(result: Mapping[str, Any], soft: Measured, n: int) -> str:
    """How much of the gain over the best source rescaling gives to it alone; empty where nothing was rescaled."""
    alone, best = (measured(result, key, n) for key in ("best_source_rescaled", "best_source"))
    if alone is None or best is None:
        return ""
    whole, merging, rescaling = soft.mean - best.mean, soft.mean - alone.mean, alone.mean - best.mean
    if min(whole, merging, rescaling) <= 0:
        rest = difference(soft, alone)
        stands = gap(rest, "that") if rest.told_apart else "cannot be told apart from that"
        verb = "is " if rest.told_apart else ""
        return f" Rescaling the best source alone gives {percent(alone.mean)}; soft merging {verb}{stands}."
    return (
        f" Of {points_text(whole)} over the best source, {points_text(merging)} come from merging and "
        f"{points_text(rescaling)} from rescaling, which training the best source alone gives as well."
    )


def _against_trunk(result: Mapping[str, Any], soft: Measured, n: int) -> str:
    """How soft merging stands to the trunk, which nobody had to merge; empty where it is not known."""
    trunk = measured(result, "trunk", n)
    if trunk is None:
        return ""
    found = difference(soft, trunk)
    stands = f"is {gap(found, 'it')}" if found.told_apart else "cannot be told apart from it"
    return f" The trunk that all started from has {percent(trunk.mean)}; soft merging {stands}."


def _recovered(result: Mapping[str, Any], soft: Measured, n: int) -> str:
    """The share of what joint training gains over the best source that merging gains; empty where that is not known."""
    joint, best = (measured(result, key, n) for key in ("joint", "best_source"))
    if joint is None or best is None or not difference(joint, best).told_apart or joint.mean < best.mean:
        return ""
    share = (soft.mean - best.mean) / (joint.mean - best.mean)
    whose = "of whose gain over the best source merging recovers"
    return f" Joint training on all samples reaches {percent(joint.mean)}, {whose} {100 * share:.0f}\u00a0%."
