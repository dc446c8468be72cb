"""The outcome of a comparison: every row in numbers, and the downloads."""

from functools import partial

import streamlit as st

from pages.compare.reading import comparison
from pages.compare.table import as_csv, comparison_table, table_rows
from pages.shared.runs.downloads import downloads, file_name
from pages.shared.runs.reader import RunReader
from pages.shared.show.terms import explained


def outcome(reader: RunReader) -> None:
    """Draw the table, which fills while the run is live, and then the downloads."""
    rows = table_rows(*comparison(reader), live=reader.live)
    st.markdown(
        "**The same in numbers.** Click a column's head to sort by it; click a note to read all of it.",
        help=explained("nats", "ECE"),
    )
    comparison_table(rows, key="compare-table")
    if not reader.live:
        downloads(reader, partial(_csv, file_name(reader, "table", "csv"), as_csv(rows)))


def _csv(name: str, table: str) -> None:
    st.download_button(
        "Table",
        table,
        name,
        "text/csv",
        icon=":material/table:",
        on_click="ignore",
        help="All rows as comma-separated values, and every measure of every seed.",
    )
