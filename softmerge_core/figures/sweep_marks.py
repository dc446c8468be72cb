"""What all figures of a sweep share: the numbers of a point in percent, and how points and values are written."""

from math import isfinite
from typing import Literal

from softmerge_core.experiments.sweeping.spec import Log
from softmerge_core.experiments.sweeping.table import Row, SweepTable
from softmerge_core.experiments.sweeping.varied import Value, value_text
from softmerge_core.figures.style import Theme, colour, escape, method_style
from softmerge_core.statistics import bar
from softmerge_core.statistics import interval as student

WIDE = 30.0  # times: from there on the numbers of a list lie on a logarithmic axis
TOP, BOTTOM = 28, 52  # px
Measure = Literal["accuracy", "open"]
TITLES: dict[Measure, str] = {"accuracy": "Test accuracy (%)", "open": "Gates open (%)"}
NOW, BEST = "now", "best"


def main_colour(table: SweepTable, theme: Theme) -> str:
    """The colour of soft merging for merges, and of no method for others."""
    return method_style("soft", theme).color if table.sweep.base.kind == "merge" else colour("task", theme)


def each(row: Row, measure: Measure) -> list[float | None]:
    """Percent, for each seed."""
    found = [None if o is None else o.measured.mean if measure == "accuracy" else o.open for o in row.outcomes]
    return [100 * value if value is not None and isfinite(value) else None for value in found]


def values_in(row: Row, measure: Measure) -> list[float]:
    return [value for value in each(row, measure) if value is not None]


def mean(row: Row, measure: Measure) -> float | None:
    found = values_in(row, measure)
    return sum(found) / len(found) if found else None


def span(row: Row, measure: Measure) -> tuple[float, float]:
    """The 95 % interval in percent; the value itself where none is known."""
    values = values_in(row, measure)
    if measure == "accuracy" and row.measured and (found := bar(row.measured)):
        return 100 * found.low, 100 * found.high
    mean, half = sum(values) / len(values), student(values)["half"] or 0.0
    return max(0.0, mean - half), min(100.0, mean + half)


def is_scale(table: SweepTable, place: int) -> bool:
    return table.axes[place].number is not None


def logarithmic(table: SweepTable, place: int) -> bool:
    """Whether the values of an axis are drawn by their logarithms."""
    if not is_scale(table, place):
        return False
    numbers = [float(value) for value in table.values[place]]
    if min(numbers) <= 0:
        return False
    return isinstance(table.sweep.axes[place].range, Log) or max(numbers) / min(numbers) >= WIDE


def text_of(value: Value) -> str:
    return escape(value_text(value), 24)


def hover(table: SweepTable, row: Row) -> str:
    return escape(upper(table.text(row)), 120)


def upper(text: str) -> str:
    return text[:1].upper() + text[1:]
