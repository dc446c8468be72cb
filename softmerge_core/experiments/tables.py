"""Numbers that a reader can take along: tables of comma-separated values, rounded, and safe for spreadsheets."""

import csv
import io
import re
from collections.abc import Sequence
from math import isnan
from typing import NamedTuple

from softmerge_core.experiments.words import cell, source_text
from softmerge_core.numbers import MINUS

Value = str | int | float | None
MALICIOUS = ("no", "yes")
_PERCENT = re.compile(r"[+\u2212-]?[\d,.]+\s*%")


class Table(NamedTuple):
    """``name`` is for the file, ``title`` for the button and ``about`` its help; ``head`` tells the columns' units."""

    name: str
    title: str
    about: str
    head: tuple[str, ...]
    rows: Sequence[Sequence[Value]]


def as_csv(head: Sequence[str], rows: Sequence[Sequence[Value]], *, exact: bool = False) -> str:
    """The rows as CSV: numbers of six significant digits, sources as on their cards, nothing for None and NaN.

    ``exact``: numbers with all their digits.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([[cell(name) for name in head], *([_written(value, exact) for value in row] for row in rows)])
    return text.getvalue()


def as_values(head: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[Value]]]:
    """A table as it is shown, with numbers for their texts: of a column of percentages the head tells the unit."""
    columns = [[row[place] for row in rows] for place in range(len(head))]
    shares = [any(cells) and all(not cell or _PERCENT.fullmatch(cell) for cell in cells) for cells in columns]
    heads = [f"{name} (%)" if share else name for name, share in zip(head, shares, strict=True)]
    return heads, [[_number(cell, share) for cell, share in zip(row, shares, strict=True)] for row in rows]


def _number(text: str, percent: bool) -> Value:
    plain = text.replace(MINUS, "-").replace(",", "")
    plain = plain.removesuffix("%").strip() if percent else plain
    try:
        return float(plain) if any(sign.isdigit() for sign in plain) else text
    except ValueError:
        return text


def _written(value: Value, exact: bool) -> str | int:
    if isinstance(value, str):
        return cell(source_text(value))
    if isinstance(value, float):
        return "" if isnan(value) else repr(value + 0.0) if exact else f"{value + 0.0:.6g}"  # no minus before a zero
    return "" if value is None else value
