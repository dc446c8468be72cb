"""What a comparison looks like while it runs and after: one sentence, the picture, the table, the downloads."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.compare.table import as_csv, comparison_table, table_rows
from pages.shared.runs.downloads import downloads, file_stem
from pages.shared.runs.panel import progress, tell_end
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import is_live
from pages.shared.show.live_plot import live_plot
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.events import Score
from softmerge_core.experiments.compare.spec import CompareSpec, planned
from softmerge_core.experiments.compare.words import live_sentence, report
from softmerge_core.experiments.words import sentence
from softmerge_core.figures.comparison import comparison_figure, comparison_height

IDLE = "A dot for every method on one axis of test accuracy, beside the best source, the plain average and the ensemble"
NOTHING_YET = "Nothing has been compared yet: press Start comparing, and see what each method makes of the sources."


def draw_comparison(reader: RunReader | None) -> None:
    """All that follows the run, in the same places before, during and after it."""
    with st.container(key="verdict-slot"):
        if reader is None:
            st.progress(0.0, text=NOTHING_YET)
        else:
            progress(reader)
            tell_end(reader, "comparison")
    entries, order = comparison(reader)
    with st.container(key="picture-compare", gap="xsmall"):
        st.markdown(f"**Test accuracy.** {_words(reader, entries)}")
        _picture(reader, entries, order)
    with st.container(key="outcome-slot"):
        if reader is not None:
            _table(reader, entries, order)


def comparison(reader: RunReader | None) -> tuple[list[dict[str, Any]], list[str]]:
    """The rows so far or of the result, and the methods from top to bottom: best first once the run is over."""
    if reader is None or not isinstance(reader.view.spec, CompareSpec):
        return [], []
    spec, methods = reader.view.spec, planned(reader.view.spec)
    if reader.view.result:
        entries = list(reader.view.result["rows"])
        return entries, [entry["method"] for entry in entries if "title" in entry]
    scores = [event for event in reader.events if isinstance(event, Score)]
    return reader.drawn("rows", ("score",), "", lambda: report(spec, scores)["rows"]), methods


def _words(reader: RunReader | None, entries: Sequence[dict[str, Any]]) -> str:
    """The comparison in one sentence; while it is live, of what is there so far."""
    if reader is None:
        return f"{IDLE}."
    if reader.view.result:
        return plain(sentence(str(reader.view.result.get("reason", ""))), 600)
    if not any("title" in entry for entry in entries) and not is_live(reader.view):
        return "The run ended before its first method."
    return plain(live_sentence(entries, len(planned(reader.view.spec))), 600)  # type: ignore[arg-type]


def _picture(reader: RunReader | None, entries: Sequence[dict[str, Any]], order: Sequence[str]) -> None:
    theme = current_theme()
    figure = reader and reader.drawn(
        "compare", ("score",), theme, lambda: comparison_figure(entries, theme=theme, order=order)
    )
    live_plot(
        figure,
        key="compare-plot",
        height=comparison_height(len(order)) if reader else comparison_height(12),
        alt=IDLE,
        waiting="Drawn here while methods are compared",
    )


def _table(reader: RunReader, entries: Sequence[dict[str, Any]], order: Sequence[str]) -> None:
    rows = table_rows(entries, order, live=is_live(reader.view))
    st.markdown("**The same in numbers.** Click a column's head to sort by it; a note is told in full on a click.")
    comparison_table(rows, key="compare-table")
    if not is_live(reader.view):
        downloads(reader, lambda: _csv(reader, as_csv(rows)))


def _csv(reader: RunReader, table: str) -> None:
    st.download_button(
        "Table",
        table,
        f"{file_stem(reader)}.csv",
        "text/csv",
        icon=":material/table:",
        on_click="ignore",
        help="All rows as comma-separated values.",
    )
