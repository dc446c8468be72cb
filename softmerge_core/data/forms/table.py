"""A table of numbers with a column of labels (CSV), separated by commas, semicolons, tabs or bars, headed or not.

Rows that lack a value are left out, and their number is told.
"""

import csv
import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from softmerge_core.data.forms.base import Asked, Form, Part, Raw, typed
from softmerge_core.data.forms.labels import MISSING, is_number, read_labels
from softmerge_core.data.limits import HOW, MAX_BYTES
from softmerge_core.errors import DataError, short

SEPARATORS = ",;\t|"
SUFFIXES = ("csv", "tsv", "txt")
LINE = 4 << 20  # bytes of a line that are looked at
MAX_COLUMNS = 100_000
MAX_EMPTY = 1000  # lines at the beginning


def read(source: Path, asked: Asked) -> Raw:
    """Return rows float32 [N, D] and labels: of the column asked for, by name or number (from 1), else of the last."""
    path = _file(source, asked)
    with typed(asked.called, "a table of numbers with a column of labels (CSV)"):
        table, label = _table(path, asked)
        names, labels = read_labels(table.pop(label), label, asked.called)
        rows = _numbers(table, asked)
    whole = np.isfinite(rows).all(axis=1) & (labels >= 0)
    if not whole.any():
        worst = table.columns[int((~np.isfinite(rows)).sum(axis=0).argmax())]
        raise DataError(
            f"{asked.called}: every row lacks a value, most often in column {short(worst)!r}: fill it or leave it out"
        )
    left = int((~whole).sum())
    notes = (f"{left:,} of {len(rows):,} rows lacked a value and were left out",) if left else ()
    rows, (kept, labels) = rows[whole], np.unique(labels[whole], return_inverse=True)
    part = Part(labels.astype(np.int64), rows.shape[1:], lambda picked: rows[picked])
    return Raw(part, tuple(names[index] for index in kept.tolist()), notes=notes)


def _file(source: Path, asked: Asked) -> Path:
    """Return the table itself; of a folder, the only one in it."""
    found = [source] if source.is_file() else []
    if source.is_dir():
        found = sorted(path for path in source.iterdir() if path.suffix[1:].lower() in SUFFIXES)
    if len(found) != 1:
        raise DataError(f"{asked.called}: expected one .csv file, found {len(found) or 'none'}: name the file itself")
    if found[0].stat().st_size > MAX_BYTES:
        raise DataError(f"{asked.called}: expected at most {MAX_BYTES:,} bytes; {HOW}")
    return found[0]


def _table(path: Path, asked: Asked) -> tuple[Any, str]:
    """Return the table and the name of its column of labels, which is read as text."""
    import pandas as pd

    skipped, first = _beginning(path, asked)
    separator = max(SEPARATORS, key=first.count)
    start = [cell.strip() for cell in next(csv.reader(io.StringIO(first), delimiter=separator))]
    if not 2 <= len(start) <= MAX_COLUMNS:
        raise DataError(
            f"{asked.called}: expected numbers and a label in each line, 2 to {MAX_COLUMNS:,} columns, "
            f"got {len(start):,}: {short(first)!r}"
        )
    headed = _is_header(start, asked.label)
    names = _unique(start) if headed else [f"column {number}" for number in range(1, len(start) + 1)]
    label = _label_column(names, asked)
    asked.tell("Reading the table", None)
    with path.open("rb") as file, warnings.catch_warnings():  # no path: pandas fetches addresses
        warnings.simplefilter("error", pd.errors.ParserWarning)  # a line with too many values
        table = pd.read_csv(
            file, sep=separator, header=None, names=names, skiprows=skipped + headed, dtype={label: str},
            index_col=False, compression=None, encoding="utf-8-sig", encoding_errors="replace", low_memory=False,
            na_values=list(MISSING), skipinitialspace=True,
        )  # fmt: skip
    return table, label


def _beginning(path: Path, asked: Asked) -> tuple[int, str]:
    """Return the first line that is not empty, and how many are before it."""
    with path.open("rb") as file:
        for number in range(MAX_EMPTY):
            line = file.readline(LINE)
            if not line or len(line) == LINE or b"\0" in line:
                got = "none" if not line else "zero bytes" if b"\0" in line else "a line without end"
                raise DataError(f"{asked.called}: expected lines of text, got {got}")
            text = line.decode("utf-8-sig", "replace").rstrip("\r\n")
            if text.strip():
                return number, text
    raise DataError(f"{asked.called}: expected lines of text, got only empty ones")


def _is_header(start: list[str], label: str) -> bool:
    """Whether the first line names the columns: it names the column of labels, or holds no number."""
    if label and label in start:
        return True
    return not any(is_number(cell) for cell in start if cell.lower() not in MISSING)


def _unique(names: list[str]) -> list[str]:
    """Return names of which no two are alike and none is empty."""
    made: list[str] = []
    taken: set[str] = set()
    for number, name in enumerate(names, 1):
        free = name if name and name not in taken else f"{name or 'column'} {number}"
        while free in taken:
            free += "'"
        taken.add(free)
        made.append(free)
    return made


def _label_column(names: list[str], asked: Asked) -> str:
    """Return the name of the column of labels; raises DataError, which lists the columns."""
    wanted = asked.label
    if not wanted:
        return names[-1]
    if wanted in names:
        return wanted
    if wanted.isascii() and wanted.isdigit() and len(wanted) < 7 and 1 <= int(wanted) <= len(names):
        return names[int(wanted) - 1]
    listed = short(", ".join(names), 300)
    raise DataError(
        f"{asked.called}: no column {short(wanted)!r}; expected a number from 1 to {len(names):,}, or one of: {listed}"
    )


def _numbers(table: Any, asked: Asked) -> np.ndarray:
    """Return the other columns as float32 [N, D]; what is missing or too large is NaN or Inf."""
    if table.size * 4 > MAX_BYTES:
        raise DataError(f"{asked.called}: expected at most {MAX_BYTES:,} bytes of numbers; {HOW}")
    for name in table.columns:
        if table[name].dtype.kind not in "fiub":
            table[name] = _as_numbers(table[name], asked)
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(table.to_numpy(np.float64, na_value=np.nan).astype(np.float32))


def _as_numbers(column: Any, asked: Asked) -> Any:
    """Return a column of texts as numbers; raises DataError, which names the first that is none."""
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    odd = column[numbers.isna() & column.notna()]
    if len(odd):
        raise DataError(
            f"{asked.called}: column {short(column.name)!r} holds {short(odd.iloc[0], 40)!r} in row "
            f"{odd.index[0] + 1:,}: expected numbers; leave the column out, or name it as the label"
        )
    return numbers


FORM = Form(
    name="csv",
    title="CSV table",
    about="Rows of numbers with a column of labels, the last one unless another is named; labels may be text.",
    takes="file",
    read=read,
    suffixes=(*SUFFIXES, "zip"),
    loads=("pandas",),
    uses=("label",),
)
