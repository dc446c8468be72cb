"""The outcome of a comparison: every row in numbers, and the downloads."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from pages.compare.reading import comparison, scores_of, spec_of
from pages.compare.table import as_csv, beside_pinned, comparison_table, table_rows
from pages.shared.runs.downloads import csv_button, downloads, file_name
from pages.shared.runs.pinned import pinned_behind
from pages.shared.runs.reader import RunReader
from pages.shared.show.terms import explained
from pages.shared.show.text import html_table
from softmerge_core.experiments.behind import apart
from softmerge_core.experiments.compare.labels import cells, table
from softmerge_core.experiments.tables import as_csv as table_csv


def outcome(reader: RunReader) -> None:
    """Draw the table, which fills while the run is live, and then the downloads."""
    rows = _rows(reader)
    st.markdown(
        "**The same in numbers.** Click a column's head to sort by it; click a note to read all of it.",
        help=explained("nats", "ECE"),
    )
    comparison_table(rows, key="compare-table")
    if spec_of(reader).labels:
        _by_labels(reader)
    if not reader.live:
        downloads(reader, lambda: _tables(reader, rows))


def _rows(reader: RunReader) -> list[dict[str, Any]]:
    """The rows of the table, beside those of the run that is pinned, where both were tested on the same samples."""
    rows: list[dict[str, Any]] = reader.once("table-rows", lambda: table_rows(*comparison(reader), live=reader.live))
    pinned = pinned_behind("compare", reader)
    if pinned is None or apart(reader.view.spec, pinned.view.spec):
        return rows
    return beside_pinned(rows, table_rows(*comparison(pinned), live=pinned.live))


def _by_labels(reader: RunReader) -> None:
    """Draw every method's accuracy with each number of labels."""
    head, rows = cells(spec_of(reader), scores_of(reader))
    about = "Test accuracy in percent ± half its 95\u00a0% interval, by the number of labelled samples."
    st.markdown(f"**How many labels, in numbers.** {about}")
    wide = '<div style="overflow-x: auto" tabindex="0" role="region" aria-label="Accuracy by the number of labels">'
    st.html(f"{wide}{html_table(head, rows)}</div>")


def _tables(reader: RunReader, rows: Sequence[Mapping[str, Any]]) -> None:
    """The buttons for the table above and, where there are any, for the numbers by labels."""
    about = "All rows as comma-separated values, and every measure of every seed."
    csv_button("Table", as_csv(rows), file_name(reader, "table", "csv"), about, place="table")
    found = reader.once("labels-table", lambda: table(scores_of(reader)))
    if spec_of(reader).labels and found.rows:
        csv_button(
            found.title,
            table_csv(found.head, found.rows),
            file_name(reader, found.name, "csv"),
            found.about,
            place=found.name,
        )
