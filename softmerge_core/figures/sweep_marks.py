"""What all figures of a sweep share: the numbers of a point in their unit, and how points and values are written."""

from math import isfinite
from textwrap import wrap
from typing import Literal

from softmerge_core.experiments.outcome import Measure
from softmerge_core.experiments.sweeping.spec import Log
from softmerge_core.experiments.sweeping.table import Row, SweepTable
from softmerge_core.experiments.sweeping.varied import Value, value_text
from softmerge_core.figures.style import Theme, colour, escape, method_style
from softmerge_core.statistics import bar
from softmerge_core.statistics import interval as student

WIDE = 30.0  # times: from there on the numbers of a list lie on a logarithmic axis
TOP, BOTTOM = 28, 52  # px
Shown = Literal["main", "open"]  # the main number of the runs, or the share of open gates
OPEN = Measure("gates open")
NOW, BEST = "now", "best"


def main_colour(table: SweepTable, theme: Theme) -> str:
    """The colour of soft merging for merges, and of no method for others."""
    return method_style("soft", theme).color if table.sweep.base.kind == "merge" else colour("task", theme)


def measure_of(table: SweepTable, shown: Shown) -> Measure:
    """What is shown, with its title and unit."""
    return table.measure if shown == "main" else OPEN


def title_of(table: SweepTable, shown: Shown) -> str:
    """The title of its axis: "Test accuracy (%)"."""
    found = measure_of(table, shown)
    return f"{upper(found.title)} ({found.unit})"


def in_lines(text: str, width: int) -> str:
    """A title in lines of at most so many letters, for plotly."""
    return "<br>".join(escape(line, width) for line in wrap(text, width))


def written(measure: Measure, name: str) -> str:
    """A number of a hover label, a coordinate of plotly's, with its unit: "%{y:.1f} %"."""
    return f"%{{{name}:.{measure.digits}f}}\u00a0{measure.unit}"


def each(table: SweepTable, row: Row, shown: Shown) -> list[float | None]:
    """In its unit, for each seed."""
    found = [None if o is None else o.measured.mean if shown == "main" else o.open for o in row.outcomes]
    scale = measure_of(table, shown).scale
    return [scale * value if value is not None and isfinite(value) else None for value in found]


def values_in(table: SweepTable, row: Row, shown: Shown) -> list[float]:
    return [value for value in each(table, row, shown) if value is not None]


def mean(table: SweepTable, row: Row, shown: Shown) -> float | None:
    found = values_in(table, row, shown)
    return sum(found) / len(found) if found else None


def span(table: SweepTable, row: Row, shown: Shown) -> tuple[float, float]:
    """The 95 % interval in its unit; the value itself where none is known."""
    values, measure = values_in(table, row, shown), measure_of(table, shown)
    if shown == "main" and measure.accuracy and row.measured and (found := bar(row.measured)):
        return 100 * found.low, 100 * found.high
    mean, half = sum(values) / len(values), student(values)["half"] or 0.0
    return (max(0.0, mean - half), min(100.0, mean + half)) if measure.accuracy else (mean - half, mean + half)


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
