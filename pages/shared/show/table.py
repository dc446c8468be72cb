"""A small table with the way to take it along: its rows as comma-separated values."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from pages.shared.show.file_button import file_button
from pages.shared.show.text import html_table
from softmerge_core.experiments.tables import Value, as_csv, as_values


class Exact(NamedTuple):
    """The same table with all digits, for the file: heads with their units, and numbers as numbers."""

    head: Sequence[str]
    rows: Sequence[Sequence[Value]]


def show_table(
    head: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    name: str,
    exact: Exact | None = None,
    box: str = "",
    place: str = "",
) -> None:
    """Draw a table, and a button under its corner that saves it as ``name``.csv; ``place`` as in ``file_button``.

    ``box``: a style class of what is around it. Without ``exact``, the file has the numbers as they are shown.
    """
    table = html_table(head, rows)
    values = exact or Exact(*as_values(head, rows))
    with st.container(key=f"table-{place or name}", gap=None):
        st.html(f'<div class="{box}">{table}</div>' if box else table)
        file_button(
            "CSV",
            f"{name}.csv",
            text=as_csv(values.head, values.rows, exact=True),
            icon=":material/download:",
            small=True,
            place=place,
            help="The rows of this table as comma-separated values.",
        )
