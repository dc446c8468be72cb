"""The comparison as a table: a row per method and source, filled in while the run is live."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from softmerge_core.experiments.compare.words import needs_words, note
from softmerge_core.figures.style import TITLES
from softmerge_core.methods import available_methods

if TYPE_CHECKING:
    import pandas as pd

ROW = 35  # px: a row of the table
COLUMNS = ("Method", "Accuracy", "Interval", "Loss", "ECE", "Seconds", "Memory", "Needs", "Note")
NOT_MERGED = "not merged"


def table_rows(entries: Sequence[Mapping[str, Any]], order: Sequence[str], *, live: bool) -> list[dict[str, Any]]:
    """The rows in the order of ``order`` (methods), then the sources; by ``entries``' own order where it is empty.

    ``entries`` are the rows of a comparison's result or of its report so far.
    """
    found = {str(entry["method"]): entry for entry in entries}
    keys = [*order, *(key for key in found if key not in order)]
    return [_row(key, found.get(key), live) for key in keys]


def method_name(key: str) -> str:
    """A method as it is called in every picture and table; any other key is a source's name."""
    if key in TITLES:
        return TITLES[key][0]
    method = available_methods().get(key)
    return method.title if method else f"Source: {key}"


def _row(key: str, entry: Mapping[str, Any] | None, live: bool) -> dict[str, Any]:
    method = available_methods().get(key)
    looked_at = (entry or {}).get("needs", method.needs if method else ())
    row: dict[str, Any] = dict.fromkeys(COLUMNS)
    row |= {
        "Method": method_name(key),
        "Needs": needs_words(looked_at) if method else NOT_MERGED,
        "Note": "",
    }
    if entry is None:
        return {**row, "Note": "waiting" if live else "not run"}
    if entry.get("accuracy"):
        row |= _numbers(entry, merged=method is not None)
    return {**row, "Note": note(entry)}


def _numbers(entry: Mapping[str, Any], *, merged: bool) -> dict[str, Any]:
    half = entry["accuracy"].get("half")
    numbers = {
        "Accuracy": 100 * entry["accuracy"]["mean"],
        "Interval": None if half is None else 100 * half,
        "Loss": entry["loss"]["mean"],
        "ECE": 100 * entry["calibration"]["mean"],
    }
    if merged:
        numbers |= {"Seconds": entry["took"]["mean"], "Memory": entry["memory"]["mean"]}
    return numbers


def as_frame(rows: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """The rows as a frame whose number columns are numbers even where all are missing."""
    import pandas as pd

    frame = pd.DataFrame(list(rows), columns=list(COLUMNS))
    numbers = ["Accuracy", "Interval", "Loss", "ECE", "Seconds", "Memory"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """The table as CSV, with the units in its head."""
    named = as_frame(rows).rename(columns={name: heading for name, (heading, _) in HEADINGS.items()})
    return str(named.to_csv(index=False))


# column -> (heading, help)
HEADINGS = {
    "Method": ("Method", "A way to merge, or a source as it is."),
    "Accuracy": ("Test acc. (%)", "Share of test samples classified correctly; mean over seeds."),
    "Interval": ("±", "Half width of the 95 % confidence interval over seeds, in points; empty for one seed."),
    "Loss": ("Loss (nats)", "Cross-entropy on the test samples; lower is better."),
    "ECE": ("ECE (%)", "Expected calibration error: how far confidence lies from accuracy; lower is better."),
    "Seconds": ("Seconds", "Wall-clock time of the merge alone."),
    "Memory": ("Peak (MB)", "Peak memory of the merge above what its process had before."),
    "Needs": ("Needs", "What the method had to look at besides the weights."),
    "Note": ("Note", "Why there is nothing, or what the numbers are a mean of."),
}
_FORMATS = {
    "Accuracy": "%.1f",
    "Interval": "%.1f",
    "Loss": "%.3f",
    "ECE": "%.1f",
    "Seconds": "%.2f",
    "Memory": "%.1f",
}
_WIDTHS = {
    "Method": 150,
    "Accuracy": 92,
    "Interval": 48,
    "Loss": 84,
    "ECE": 66,
    "Seconds": 72,
    "Memory": 78,
    "Needs": 130,
    "Note": 300,
}


def comparison_table(rows: Sequence[Mapping[str, Any]], *, key: str) -> None:
    """A table that its reader may sort by any column; its height is that of its rows."""
    st.dataframe(
        as_frame(rows),
        key=key,
        hide_index=True,
        width="stretch",
        height=ROW * (len(rows) + 1) + 3,
        column_config={name: _column(name) for name in COLUMNS},
        placeholder="",
        alt="Every method with its test accuracy, loss, calibration, cost and needs",
    )


def _column(name: str) -> Any:
    (heading, about), width = HEADINGS[name], _WIDTHS[name]
    if name in _FORMATS:
        return st.column_config.NumberColumn(heading, help=about, format=_FORMATS[name], width=width)
    return st.column_config.TextColumn(heading, help=about, width=width, pinned=name == "Method")
