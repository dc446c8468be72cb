"""A comparison as the page's picture and its table read it from a run, live or ended."""

from typing import Any, NamedTuple, cast

from pages.shared.runs.reader import RunReader
from softmerge_core.events import Score
from softmerge_core.experiments.compare.spec import CompareSpec, planned
from softmerge_core.experiments.compare.words import report, with_bars


class Comparison(NamedTuple):
    """The rows that are known, and the methods from top to bottom.

    While a run is live the methods keep their fixed order, so that no row moves; once it is over, the best is first.
    """

    rows: list[dict[str, Any]]
    methods: list[str]


def spec_of(reader: RunReader) -> CompareSpec:
    """The spec of a comparison's run."""
    return cast("CompareSpec", reader.view.spec)


def scores_of(reader: RunReader) -> list[Score]:
    """Every score that the run has told, with all labels or with some."""
    return [event for event in reader.events if isinstance(event, Score)]


def comparison(reader: RunReader) -> Comparison:
    """The comparison so far, or the result."""
    return cast("Comparison", reader.once("comparison", lambda: _comparison(reader)))


def _comparison(reader: RunReader) -> Comparison:
    spec = spec_of(reader)
    if reader.view.result:
        rows = with_bars(spec, reader.view.result["rows"])
        return Comparison(rows, [row["method"] for row in rows if "title" in row])
    rows = reader.drawn("rows", ("score",), "", lambda: report(spec, scores_of(reader))["rows"])
    return Comparison(rows, planned(spec))
