"""The rows in which gates are shown and written down: a part each, or the mean of several where there are too many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from softmerge_core.events import Counts, Matrix
from softmerge_core.experiments.tables import Value, as_csv

DIGITS = 4  # of the numbers in the table that can be downloaded


@dataclass(frozen=True)
class GateRows:
    """Rows of gates: ``titles`` name layer and channel, ``groups`` the layer; tables are [row][source].

    A row is the mean of at most ``each`` parts: arithmetic of ``probability`` and ``value``, geometric of ``scale``,
    which is empty where no factors are known.

    Rows that are means over ``sizes`` gates of each source also have its mean ``share`` in the weights and the numbers
    of gates that are ``closed`` (z = 0) and fully ``opened`` (z = 1); ``keys``: what a click on a row opens or closes.
    """

    titles: tuple[str, ...]
    groups: tuple[str, ...]
    probability: Matrix
    value: Matrix
    scale: tuple[float, ...] = ()
    each: int = 1
    keys: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    share: Matrix = ()
    closed: Counts = ()
    opened: Counts = ()


def gate_rows(
    parts: Sequence[str],
    groups: Sequence[str],
    probability: Matrix,
    value: Matrix,
    scale: Sequence[float] = (),
    *,
    most: int | None = None,
) -> GateRows:
    """A row for each part, or if these are more than ``most``, the means of neighbours, if possible in one layer."""
    owners = groups if len(groups) == len(parts) else parts
    titles = [part_title(part, owner) for part, owner in zip(parts, owners, strict=True)]
    factors = tuple(scale) if len(scale) == len(parts) else ()
    if most is None or len(parts) <= most:
        return GateRows(tuple(titles), tuple(owners), probability, value, factors)
    firsts, each = _firsts(owners, most)
    lasts = [*(first - 1 for first in firsts[1:]), len(parts) - 1]
    return GateRows(
        tuple(_span(parts, owners, titles, *span) for span in zip(firsts, lasts, strict=True)),
        tuple(owners[first] for first in firsts),
        _means(probability, firsts),
        _means(value, firsts),
        tuple(np.exp(_means(np.log(factors)[:, None], firsts)).flatten().tolist()) if factors else (),
        each,
    )


def row_parts(parts: Sequence[str], groups: Sequence[str], row: int, *, most: int) -> tuple[str, ...]:
    """The parts that a row of ``gate_rows`` stands for; none where there is no such row."""
    firsts = list(range(len(parts))) if len(parts) <= most else _firsts(groups or parts, most)[0]
    ends = [*firsts[1:], len(parts)]
    return tuple(parts[firsts[row] : ends[row]]) if 0 <= row < len(firsts) else ()


def part_title(part: str, group: str) -> str:
    """A part for readers: "conv1 3" is channel 3 of conv1; "conv1 rest" are the weights of no single channel."""
    end = part.removeprefix(f"{group} ")
    if end == part:
        return part
    return f"{group}, channel {end}" if end.isdigit() else f"{group}, {end}"


def blocks(owners: Sequence[str]) -> list[tuple[str, int, int]]:
    """The (name, first row, last row) of each run of rows that lie in one layer."""
    found: list[tuple[str, int, int]] = []
    for index, owner in enumerate(owners):
        if found and found[-1][0] == owner:
            found[-1] = (owner, found[-1][1], index)
        else:
            found.append((owner, index, index))
    return found


def layer_shares(owners: Sequence[str], table: Matrix) -> list[tuple[str, tuple[float, ...]]]:
    """For each layer the share of each source in its weights, 0-1: the mean over its parts of ``table`` [part][source].

    ``table`` holds the weights of the sources, or their gates, of which each part's weights are the normalised ones.
    """
    values = np.asarray(table, dtype=float)
    shares = values / np.maximum(values.sum(1, keepdims=True), 1e-12)
    return [(name, tuple(shares[first : last + 1].mean(0).tolist())) for name, first, last in blocks(owners)]


def row_spans(parts: Sequence[str], groups: Sequence[str], most: int) -> list[tuple[int, int]]:
    """The (first, last) part of each row of ``gate_rows``."""
    if len(parts) <= most:
        return [(place, place) for place in range(len(parts))]
    firsts, _ = _firsts(groups if len(groups) == len(parts) else parts, most)
    return list(zip(firsts, [*(first - 1 for first in firsts[1:]), len(parts) - 1], strict=True))


def _firsts(owners: Sequence[str], most: int) -> tuple[list[int], int]:
    """The first part of each row, and the number of parts in a full row: the smallest that gives ``most`` rows."""
    spans = [(first, last) for _, first, last in blocks(owners)]
    if len(spans) > most:
        spans = [(0, len(owners) - 1)]
    each = next(
        size
        for size in range(1, len(owners) + 1)
        if sum(ceil((last - first + 1) / size) for first, last in spans) <= most
    )
    return [start for first, last in spans for start in range(first, last + 1, each)], each


def _span(parts: Sequence[str], owners: Sequence[str], titles: Sequence[str], first: int, last: int) -> str:
    if first == last:
        return titles[first]
    owner = owners[first]
    low, high = (parts[index].removeprefix(f"{owner} ") for index in (first, last))
    if owners[last] == owner and low.isdigit():
        return f"{owner}, channels {low} to {high}"
    return f"{titles[first]} to {titles[last]}"


def _means(table: Any, firsts: Sequence[int]) -> Matrix:
    values = np.asarray(table, dtype=float)
    counts = np.diff([*firsts, len(values)])
    return tuple(map(tuple, (np.add.reduceat(values, firsts, axis=0) / counts[:, None]).tolist()))


def gates_csv(gates: Mapping[str, Any]) -> str:
    """A result's table of gates as CSV: a line for each part and source, rounded to ``DIGITS`` decimals."""
    head = ("layer", "part", "source", "p_open", "gate_z", "share", "factor")
    rows: list[list[Value]] = []
    parts = gates["parts"]
    owners = gates.get("groups") or parts
    for row, (part, owner) in enumerate(zip(parts, owners, strict=True)):
        factor = _rounded(gates["scale"][row]) if gates.get("scale") else None
        for column, source in enumerate(gates["sources"]):
            numbers = [_rounded(gates[key][row][column]) for key in ("probability", "value", "weight")]
            rows.append([owner, part_title(part, owner), source, *numbers, factor])
    return as_csv(head, rows)


def _rounded(number: float) -> float:
    """Rounded so that what is not exactly 0 or 1 never looks so."""
    step = 10.0**-DIGITS
    if 0 < number < 1:
        return round(min(max(number, step), 1 - step), DIGITS)
    return round(number, DIGITS)
