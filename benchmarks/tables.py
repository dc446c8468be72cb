"""How benchmarks write what they have measured: tables, and numbers with their spread."""

import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """A table of Markdown: the titles of its columns, and rows of cells, which may be measured when asked for."""

    columns: Sequence[str]
    rows: Iterable[Sequence[str]]

    def lines(self) -> Iterator[str]:
        """Yield its lines, each as soon as it is known; raises ValueError for a row that has not one cell a column."""
        yield f"| {' | '.join(self.columns)} |"
        yield "|---" * len(self.columns) + "|"
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"expected {len(self.columns)} cells in a row, got {len(row)}: {list(row)}")
            yield f"| {' | '.join(row)} |"


def lines(parts: Iterable[Table | str]) -> Iterator[str]:
    """Yield the lines of tables and paragraphs, with an empty one between two of them."""
    for number, part in enumerate(parts):
        if number:
            yield ""
        yield from part.lines() if isinstance(part, Table) else [part]


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return the mean and the standard deviation of some seeds as text; of one seed, its value."""
    mean = f"{statistics.mean(values):.{digits}f}"
    return f"{mean} ± {statistics.stdev(values):.{digits}f}" if len(values) > 1 else mean


def ratio(times: Sequence[float], others: Sequence[float]) -> str:
    """Return the median, over turns in which both were timed, of the ratio of two times; and its quartiles."""
    each = [one / other for one, other in zip(times, others, strict=True)]
    if len(each) == 1:
        return f"{each[0]:.2f}"
    low, middle, high = statistics.quantiles(each, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def milliseconds(times: Sequence[float]) -> str:
    """Return the median of some seconds in milliseconds."""
    value = 1e3 * statistics.median(times)
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def high(values: Sequence[float]) -> float:
    """The value below which 95 % of two or more values lie."""
    return statistics.quantiles(values, n=20, method="inclusive")[-1]
