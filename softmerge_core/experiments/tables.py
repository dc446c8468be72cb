"""Numbers that a reader can take along: tables of comma-separated values, rounded, and safe for spreadsheets."""

import csv
import io
from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

from softmerge_core.experiments.words import cell, source_text

Value = str | int | float | None
MALICIOUS = ("no", "yes")


class Table(NamedTuple):
    """``name`` is for the file, ``title`` for the button and ``about`` its help; ``head`` tells the columns' units."""

    name: str
    title: str
    about: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[Value]]


def as_csv(head: Sequence[str], rows: Sequence[Sequence[Value]]) -> str:
    """The rows as CSV: numbers of six significant digits, sources as on their cards, nothing for None and NaN."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([head, *([_written(value) for value in row] for row in rows)])
    return text.getvalue()


def _written(value: Value) -> str | int:
    if isinstance(value, str):
        return cell(source_text(value))
    if isinstance(value, float):
        return "" if isnan(value) else f"{value + 0.0:.6g}"  # no minus before a zero
    return "" if value is None else value
