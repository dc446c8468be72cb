"""The outcome of a comparison: every row in numbers, and the downloads."""

import streamlit as st

from pages.compare.reading import comparison
from pages.compare.table import as_csv, comparison_table, table_rows
from pages.shared.runs.downloads import csv_button, downloads, file_name
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
        about = "All rows as comma-separated values, and every measure of every seed."
        downloads(reader, lambda: csv_button("Table", as_csv(rows), file_name(reader, "table", "csv"), about))
