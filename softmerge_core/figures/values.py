"""The values of a figure as a table to take along: every point and cell that says something, with all its digits."""

import html
import re
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

import numpy as np
import plotly.graph_objects as go

Row = list[str | int | float | None]
_TAG = re.compile(r"<[^<>]*>")
_AXES = {"x": "Column", "y": "Row"}


def figure_values(figure: go.Figure) -> tuple[list[str], list[Row]]:
    """Return (heads, rows): series, x and y of each point; of heatmaps the value, of intervals their ends.

    Heads are the titles of the axes, which name the units. A figure of images has its own table in ``meta["values"]``.
    """
    own = (figure.layout.meta or {}).get("values")
    if own:
        return [_plain(name) for name in own[0]], [[_value(cell) for cell in row] for row in own[1:]]
    traces = [trace for trace in figure.data if trace.visible in (None, True) and trace.hoverinfo != "skip"]
    heat = next((trace for trace in traces if trace.type == "heatmap"), None)
    ranged = any(_error(trace) for trace in traces)
    measure = _measure(heat) if heat is not None else []
    head = ["Series", *(_title(figure, letter, traces) for letter in _AXES), *measure]
    rows = [
        row for trace in traces for row in (_cells(trace) if trace.type == "heatmap" else _points(trace, bool(measure)))
    ]
    width = len(head) + 2 * ranged
    return head + ["From", "To"] * ranged, [row + [None] * (width - len(row)) for row in rows]


def _measure(trace: Any) -> list[str]:
    title = trace.colorbar.title.text if trace.colorbar else None
    return [_plain(title or trace.name or "Value")]


def _title(figure: go.Figure, letter: str, traces: Sequence[Any]) -> str:
    """The titles of all axes of one direction, without the notes in further lines."""
    names = dict.fromkeys((trace[f"{letter}axis"] or letter).replace(letter, f"{letter}axis") for trace in traces)
    texts = [figure.layout[name].title.text or "" for name in names]
    plain = [_plain(text.split("<br>")[0]) for text in texts if text and not text.startswith("Click to")]
    return " / ".join(dict.fromkeys(plain)) or _AXES[letter]


def _cells(trace: Any) -> Iterator[Row]:
    rows = list(trace.z)
    xs = list(range(len(rows[0]) if rows else 0)) if trace.x is None else list(trace.x)
    ys = list(range(len(rows))) if trace.y is None else list(trace.y)
    for y, line in zip(ys, rows, strict=True):
        for x, value in zip(xs, line, strict=True):
            yield [_plain(trace.name or ""), _value(x), _value(y), _value(value)]


def _points(trace: Any, measured: bool) -> Iterator[Row]:
    if trace.y is None:
        return
    xs = range(len(trace.y)) if trace.x is None else trace.x
    error = _error(trace)
    for place, (x, y) in enumerate(zip(xs, trace.y, strict=False)):
        if x is None or y is None or _value(y) is None or _value(x) is None:
            continue
        row = [_plain(trace.name or ""), _value(x), _value(y), *([None] if measured else [])]
        if error:
            bars, middle = error
            low = bars.arrayminus if bars.arrayminus is not None else bars.array
            row += [
                _value((y if middle == "y" else x) - low[place]),
                _value((y if middle == "y" else x) + bars.array[place]),
            ]
        yield row


def _error(trace: Any) -> tuple[Any, str] | None:
    """The bars of a trace and the direction in which they go; None where it has none."""
    for letter in ("x", "y"):
        bars = trace[f"error_{letter}"] if trace.type in ("scatter", "bar") else None
        if bars is not None and bars.visible and bars.array is not None:
            return bars, letter
    return None


def _value(value: Any) -> str | int | float | None:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value if value is None or isinstance(value, int) else _plain(str(value))


def _plain(text: str) -> str:
    """Text of a figure without its markup; names are escaped in it."""
    return html.unescape(_TAG.sub(" ", text)).strip()
