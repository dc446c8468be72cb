"""Gates forced by hand as a page shows and changes them: rows, menus, links and sentences. Loads no torch."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isfinite
from typing import Any, NamedTuple

import numpy as np

from softmerge_core.errors import SettingsError
from softmerge_core.experiments.merge.rows import GateRows, blocks, gate_rows, part_title, row_spans
from softmerge_core.experiments.merge.words import value_text
from softmerge_core.experiments.words import listed, percent, plural, points, source_text
from softmerge_core.merging.forced import VALUES, Forced, as_forced, force_table
from softmerge_core.numbers import number_text
from softmerge_core.statistics import Difference, Measured, difference

Told = Mapping[str, Any]  # what ``OpenedRun.told`` says of a run
_PIECE = re.compile(r"(\d{1,9})-(\d{1,9})\.(\d{1,4})\.(open|shut)")
_WORDS = (("as learned", np.isnan), ("forced shut", lambda cell: cell == 0), ("forced open", lambda cell: cell == 1))


class Span(NamedTuple):
    """Parts that are changed together: their title, and the numbers of the first and the last."""

    title: str
    first: int
    last: int


class HandRows(NamedTuple):
    """Rows of gates as they are now; ``forced``: whether "all", "some" or none ("") of a cell's gates are forced."""

    table: GateRows
    spans: tuple[Span, ...]
    forced: tuple[tuple[str, ...], ...]


def shape_of(told: Told) -> tuple[int, int]:
    """The numbers of parts and of sources."""
    return int(told["parts"]), len(told["gates"]["sources"])


def hand_rows(told: Told, forced: Sequence[Forced], most: int, layer: Span | None = None) -> HandRows:
    """The gates with what is forced: a row for each part or, where there are more than ``most``, for neighbours.

    With a ``layer`` only its parts.
    """
    gates, table = told["gates"], force_table(forced, *shape_of(told))
    spans = [Span(name, *span) for name, span in zip(gates["parts"], _spans(gates), strict=True)]
    chosen = [k for k, span in enumerate(spans) if layer is None or layer.first <= span.first <= layer.last]
    pieces = [table[spans[k].first : spans[k].last + 1] for k in chosen]
    whole = np.array([np.where((piece == piece[:1]).all(0), piece[0], np.nan) for piece in pieces])
    owners = [(gates.get("groups") or gates["parts"])[k] for k in chosen]
    parts, scale = [spans[k].title for k in chosen], [gates["scale"][k] for k in chosen]
    learned = (np.asarray(gates[name], dtype=float)[chosen] for name in ("probability", "value"))
    probability, value = (np.where(np.isnan(whole), each, whole).tolist() for each in learned)
    rows = gate_rows(parts, owners, probability, value, scale, most=most)
    ends = [(spans[chosen[first]].first, spans[chosen[last]].last) for first, last in row_spans(parts, owners, most)]
    named = tuple(Span(title, *span) for title, span in zip(rows.titles, ends, strict=True))
    return HandRows(rows, named, tuple(_marks(table[first : last + 1]) for _, first, last in named))


def _spans(gates: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The (first, last) part that each row of the told gates stands for: one, or of very many those of a layer."""
    ends = np.cumsum([0, *(gates.get("sizes") or [1] * len(gates["parts"]))]).tolist()
    return [(first, end - 1) for first, end in pairwise(ends)]


def _marks(table: np.ndarray) -> tuple[str, ...]:
    share = (~np.isnan(table)).mean(0)
    return tuple("all" if each == 1 else "some" if each else "" for each in share)


def layer_spans(told: Told) -> list[Span]:
    """The layers or blocks of the parts, in the network's order."""
    gates, spans = told["gates"], _spans(told["gates"])
    owners = blocks(gates.get("groups") or gates["parts"])
    return [Span(name, spans[first][0], spans[last][1]) for name, first, last in owners]


def part_spans(told: Told, layer: Span) -> list[Span]:
    """The single parts of a layer; none where the layer is one part."""
    gates, places = told["gates"], range(layer.first, layer.last + 1)
    if layer.first == layer.last:
        return []
    if gates.get("sizes"):
        return [Span(f"{layer.title}, row {place - layer.first}", place, place) for place in places]
    return [Span(part_title(gates["parts"][place], layer.title), place, place) for place in places]


def changed(
    told: Told, forced: Sequence[Forced], span: tuple[int, int], sources: Sequence[int], to: str
) -> tuple[Forced, ...]:
    """What is forced once the gates of these ``sources`` in the parts of a ``span`` are "shut", "open" or "learned"."""
    table = force_table(forced, *shape_of(told))
    table[span[0] : span[1] + 1, list(sources)] = VALUES[to]
    return as_forced(table)


def next_way(told: Told, forced: Sequence[Forced], span: tuple[int, int], source: int) -> str:
    """To what a click changes a cell: from learned to shut, from shut to open, and from open, or a mixture, back."""
    cell = force_table(forced, *shape_of(told))[span[0] : span[1] + 1, source]
    return "shut" if np.isnan(cell).all() else "open" if (cell == 0).all() else "learned"


def cell_words(told: Told, forced: Sequence[Forced], learned: HandRows, row: int, source: int) -> str:
    """The gates of a cell of the rows as they were ``learned``, and how they are now."""
    span, table = learned.spans[row], learned.table
    many = "mean " if span.first != span.last else ""
    before = f"{many}P(open) = {table.probability[row][source]:.2f}, {many}z = {value_text(table.value[row][source])}"
    cell = force_table(forced, *shape_of(told))[span.first : span.last + 1, source]
    now = [word for word, there in _WORDS if there(cell).any()]
    return f"{span.title}, {source_text(told['gates']['sources'][source])}: learned {before}; now {listed(now)}."


def as_texts(forced: Sequence[Forced]) -> list[str]:
    """What is forced as texts in a link: parts, source and way, "0-71.2.shut"."""
    return [f"{each.first}-{each.last}.{each.source}.{each.to}" for each in forced]


def from_texts(texts: Sequence[str]) -> tuple[Forced, ...]:
    """The inverse of ``as_texts``; raises SettingsError for what is none of them."""
    found = []
    for text in texts:
        match = _PIECE.fullmatch(text)
        if match is None:
            raise SettingsError(f"forced gates: expected parts, source and way such as 0-71.2.shut, got {text[:40]!r}")
        first, last, source, to = match.groups()
        found.append(Forced(first=int(first), last=int(last), source=int(source), to=to))
    return tuple(found)


def compare(scores: Mapping[str, Any], others: Mapping[str, Any], split: str) -> Difference:
    """The paired difference in accuracy of two networks on the same samples of a split."""
    both = [Measured((each[split]["accuracy"],), correct=(each[split]["correct"],)) for each in (scores, others)]
    return difference(*both)


def verdict(told: Told, forced: Sequence[Forced], scores: Mapping[str, Any]) -> str:
    """The validation accuracy and loss now and as learned, and whether chance alone could give the difference."""
    here, learned = scores["validation"], told["scores"]["learned"]["validation"]
    now = f"validation accuracy {percent(here['accuracy'])}, loss {_loss(here['loss'])}"
    if not forced:
        return f"Nothing is forced: {now}, as learned."
    table = force_table(forced, *shape_of(told))
    count = plural(int((~np.isnan(table)).sum()), "gate")
    before = f"{percent(learned['accuracy'])} and {_loss(learned['loss'])} as learned"
    found = compare(scores, told["scores"]["learned"], "validation")
    return f"With {count} forced: {now}, against {before}. {_told_apart(found)}"


def _told_apart(found: Difference) -> str:
    on = f"{found.samples:,} validation samples"
    if found.same:
        return f"Both are right on exactly the same of the {on}."
    between = f"95\u00a0% interval {points(found.low)} to {points(found.high)}" if isfinite(found.low) else "one sample"
    gap = f"{points(found.gap)} points ({between}) on the same {on}"
    return f"{gap}: more than chance." if found.told_apart else f"{gap}: they cannot be told apart."


def _loss(loss: float | None) -> str:
    if loss is None or not isfinite(loss):
        return "not finite"
    return f"{loss:.3f} nats" if loss < 100 else f"{number_text(loss, 2)} nats"


def score_rows(told: Told, scores: Mapping[str, Any]) -> list[tuple[str, str, str, str, str]]:
    """A row for each network: its name, validation accuracy, points against learned, loss, and test accuracy."""
    known, learned = told["scores"], told["scores"]["learned"]
    named = {"As forced": scores, "As learned": learned, "Plain average": known["average"]}
    named[f"Best source ({told['best_source']})"] = known["best_source"]
    return [
        (
            name,
            percent(each["validation"]["accuracy"]),
            "" if each is learned else points(each["validation"]["accuracy"] - learned["validation"]["accuracy"]),
            _loss(each["validation"]["loss"]),
            percent(each["test"]["accuracy"]),
        )
        for name, each in named.items()
    ]
