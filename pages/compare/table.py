"""The comparison as a table: one row per method and per source, filled in while the run is live."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from softmerge_core.experiments.compare.words import needs_words, note
from softmerge_core.experiments.words import cell, source_text
from softmerge_core.figures.style import TITLES
from softmerge_core.methods import available_methods

if TYPE_CHECKING:
    import pandas as pd

ROW = 35  # px: the height of a row
EACH = "each seed"  # of a row: what is downloaded and not shown
MEASURES = {  # column -> (measure of an entry, factor)
    "Accuracy": ("accuracy", 100), "Loss": ("loss", 1), "ECE": ("calibration", 100),
    "Seconds": ("took", 1), "Memory": ("memory", 1),
}  # fmt: skip
NOT_MERGED = "not merged"


class Column(NamedTuple):
    """One column: its name in the rows, its heading and help for readers, its width in px, its number format.

    A column without a format holds text.
    """

    name: str
    heading: str
    help: str
    width: int
    format: str = ""


COLUMNS = (
    Column("Method", "Method", "A way to merge, or a source as it is.", 150),
    Column("Accuracy", "Test acc. (%)", "Share of test samples classified correctly; mean over seeds.", 92, "%.1f"),
    Column(
        "Interval",
        "±",
        "Half width of the 95\u00a0% interval in points: other test samples, and other seeds where there are several.",
        48,
        "%.1f",
    ),
    Column("Loss", "Loss (nats)", "Cross-entropy on the test samples; lower is better.", 84, "%.3f"),
    Column(
        "ECE",
        "ECE (%)",
        "Expected calibration error: the average gap between confidence and accuracy; lower is better.",
        66,
        "%.1f",
    ),
    Column("Seconds", "Seconds", "Wall-clock time of the merge alone.", 72, "%.2f"),
    Column("Memory", "Peak (MB)", "Peak memory of the merge, above the size of its process before.", 78, "%.1f"),
    Column("Needs", "Needs", "What the method had to look at besides the weights.", 130),
    Column("Note", "Note", "Why there are no numbers, or how many seeds they are the mean of.", 300),
)

BESIDE = (  # after the interval, where a run is pinned that was measured on the same samples
    Column("Pinned", "Pinned (%)", "The same method in the run that is pinned.", 74, "%.1f"),
    Column("Gain", "Against it", "This run minus the pinned one, in percentage points.", 74, "%+.1f"),
)


def beside_pinned(rows: Sequence[Mapping[str, Any]], pinned: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows with the accuracy of the same row of the run that is pinned, and the difference in points."""
    known = {row["Method"]: row.get("Accuracy") for row in pinned}
    return [{**row, "Pinned": known.get(row["Method"]), "Gain": _gain(row, known)} for row in rows]


def _gain(row: Mapping[str, Any], known: Mapping[str, float | None]) -> float | None:
    mine, theirs = row.get("Accuracy"), known.get(row["Method"])
    return None if mine is None or theirs is None else mine - theirs


def _columns(rows: Sequence[Mapping[str, Any]]) -> tuple[Column, ...]:
    """The columns of these rows, from left to right."""
    return (*COLUMNS[:3], *BESIDE, *COLUMNS[3:]) if any("Pinned" in row for row in rows) else COLUMNS


def table_rows(entries: Sequence[Mapping[str, Any]], order: Sequence[str], *, live: bool) -> list[dict[str, Any]]:
    """One row per method in ``order``, then one per source, each a value for every column.

    ``entries`` are the rows of a comparison's result, or of its report so far.
    """
    found = {str(entry["method"]): entry for entry in entries}
    keys = [*order, *(key for key in found if key not in order)]
    return [_row(key, found.get(key), live) for key in keys]


def _name(key: str) -> str:
    """The name of a method as it is in every picture and table; any other key is a source's name."""
    if key in TITLES:
        return TITLES[key][0]
    method = available_methods().get(key)
    if method:
        return method.title
    name = source_text(key)
    return name if name.startswith("Source ") else f"Source: {name}"


def _row(key: str, entry: Mapping[str, Any] | None, live: bool) -> dict[str, Any]:
    method = available_methods().get(key)
    looked_at = (entry or {}).get("needs", method.needs if method else ())
    row: dict[str, Any] = dict.fromkeys(column.name for column in COLUMNS)
    row |= {"Method": _name(key), "Needs": needs_words(looked_at) if method else NOT_MERGED}
    if entry is None:
        return {**row, "Note": "waiting" if live else "not run"}
    if entry.get("accuracy"):
        row |= _numbers(entry, merged=method is not None)
    return {**row, "Note": note(entry)}


def _numbers(entry: Mapping[str, Any], *, merged: bool) -> dict[str, Any]:
    accuracy = entry["accuracy"]
    half = (accuracy["high"] - accuracy["low"]) / 2 if "low" in accuracy else accuracy.get("half")
    numbers: dict[str, Any] = {
        EACH: _each_seed(entry),
        "Accuracy": 100 * entry["accuracy"]["mean"],
        "Interval": None if half is None else 100 * half,
        "Loss": entry["loss"]["mean"],
        "ECE": 100 * entry["calibration"]["mean"],
    }
    if merged:
        numbers |= {"Seconds": entry["took"]["mean"], "Memory": entry["memory"]["mean"]}
    return numbers


def _each_seed(entry: Mapping[str, Any]) -> dict[str, float]:
    """Every measure of every seed, by the heading of its column; nothing of a single seed, which is the mean."""
    found: dict[str, float] = {}
    for name, (measure, factor) in MEASURES.items():
        values = (entry.get(measure) or {}).get("values") or ()
        heading = next(column.heading for column in COLUMNS if column.name == name)
        if len(values) > 1:
            found |= {f"{heading}, seed {number}": factor * value for number, value in enumerate(values, 1)}
    return found


def as_frame(rows: Sequence[Mapping[str, Any]]) -> "pd.DataFrame":
    """The rows as a frame whose number columns are numbers even where all values are missing."""
    import pandas as pd  # slow to import, and pages without a run do not need it

    columns = _columns(rows)
    frame = pd.DataFrame(list(rows), columns=[column.name for column in columns])
    return frame.astype({column.name: "float64" for column in columns if column.format})


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows as CSV, with the columns' headings, which name their units; then every measure of every seed.

    Numbers have six significant digits.
    """
    frame = as_frame([{**row, "Method": cell(row["Method"])} for row in rows])
    frame = frame.rename(columns={column.name: column.heading for column in _columns(rows)})
    each = [row.get(EACH) or {} for row in rows]
    for heading in sorted({heading for one in each for heading in one}, key=_of_measure):
        frame[heading] = [one.get(heading) for one in each]
    return str(frame.to_csv(index=False, float_format="%.6g"))


def _of_measure(heading: str) -> tuple[int, int]:
    """The place of a seed's column: by its measure, then by its seed."""
    measure, _, seed = heading.rpartition(", seed ")
    return [column.heading for column in COLUMNS].index(measure), int(seed)


def comparison_table(rows: Sequence[Mapping[str, Any]], *, key: str) -> None:
    """Draw the rows as a table that its reader may sort by any column, high enough for all of them."""
    st.dataframe(
        _rounded(as_frame(rows), _columns(rows)),
        key=key,
        hide_index=True,
        width="stretch",
        height=ROW * (len(rows) + 1) + 3,
        column_config={column.name: _config(column) for column in _columns(rows)},
        placeholder="",
        alt="Every method with its test accuracy, loss, calibration, cost and needs",
    )


def _rounded(frame: "pd.DataFrame", columns: Sequence[Column] = COLUMNS) -> "pd.DataFrame":
    """The numbers as sentences and pictures round them: a browser rounds 88.25 up, Python to the even digit."""
    shown = {column.name: frame[column.name].map(_as_written(column.format)) for column in columns if column.format}
    return frame.assign(**shown)


def _as_written(form: str) -> Callable[[float], float]:
    return lambda value: float(form % value)


def _config(column: Column) -> Any:
    _, heading, about, width, shown = column
    if shown:
        return st.column_config.NumberColumn(heading, help=about, format=shown, width=width)
    return st.column_config.TextColumn(heading, help=about, width=width, pinned=column.name == "Method")
