"""A comparison as the page's picture and its table read it from a run, live or ended."""

from typing import Any, NamedTuple, cast

from pages.shared.runs.reader import RunReader
from softmerge_core.events import Score
from softmerge_core.experiments.compare.spec import CompareSpec, planned
from softmerge_core.experiments.compare.words import report


class Comparison(NamedTuple):
    """The rows that are known, and the methods from top to bottom.

    While a run is live the methods keep their fixed order, so that no row moves; once it is over, the best is first.
    """

    rows: list[dict[str, Any]]
    methods: list[str]


def comparison(reader: RunReader) -> Comparison:
    """The comparison so far, or the result."""
    if reader.view.result:
        rows = list(reader.view.result["rows"])
        return Comparison(rows, [row["method"] for row in rows if "title" in row])
    spec = cast("CompareSpec", reader.view.spec)
    scores = [event for event in reader.events if isinstance(event, Score)]
    return Comparison(reader.drawn("rows", ("score",), "", lambda: report(spec, scores)["rows"]), planned(spec))
