"""The figure of the gates: a row for each part, a column for each source, colours on a fixed 0-1 scale."""

import re
from collections.abc import Sequence
from html import unescape
from textwrap import wrap
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from softmerge_core.events import Event, Gates, Matrix, Stage
from softmerge_core.experiments.merge.drill import deep_rows, is_deep
from softmerge_core.experiments.merge.rows import GateRows, blocks, gate_rows
from softmerge_core.experiments.merge.words import value_text
from softmerge_core.figures.gate_blocks import CLOSED, OPEN, deep_cells, deep_notes, exact_texts
from softmerge_core.figures.gate_factors import add_factors
from softmerge_core.figures.style import Theme, colour, distinct, escape, new_figure

Shown = Literal["probability", "value"]
_TITLES: dict[Shown, str] = {"probability": "P(open)", "value": "Gate z"}
_LINES = 3  # lines of notes under the rows: their room is always kept, so that nothing moves
_TOP, _BOTTOM = 28, 12 + 16 * _LINES  # px above and below the rows
_ROW = 44  # px: the largest height of a row
_LABEL = 14  # px: the height that a label needs
_BAR_LEAST = 88  # px: the least height of the colour bar, whose ticks need it
_WIDE, _PHONE = 480, 190  # px: how wide the plot is at least, and on a phone
_LETTER = 7  # px, about
_SOURCE = re.compile(r"Source (\d+)(?:, .*)?$")
_GLYPH = 12  # px: in rows lower than this, a bar at the cell's edge replaces the glyph
_EDGE, _BAR = 0.07, 0.11  # the distance of a bar from the cell's edge and its width, as shares of the cell's width
_MARKS = (
    f"{CLOSED} closed (z = 0)   {OPEN} fully open (z = 1) in the merged network",
    "White bar: closed (z = 0)   black bar: fully open (z = 1)",
)
HELD = 0.5  # P(open) of a fully open gate that would be closed if it were not the last one of its part


def last_gates(events: Sequence[Event]) -> tuple[Stage, Gates] | None:
    """The newest gates and the stage that their rows belong to; None before the first gates."""
    for place in range(len(events) - 1, -1, -1):
        gates = events[place]
        if isinstance(gates, Gates):
            stages = (event for event in reversed(events[:place]) if isinstance(event, Stage))
            stage = next((event for event in stages if event.stage == gates.stage), None)
            return (stage, gates) if stage else None
    return None


def gates_figure(
    events: Sequence[Event],
    *,
    theme: Theme,
    show: Shown = "probability",
    height: int = 460,
    scale: Sequence[float] = (),
    opened: Sequence[str] = (),
    wanted: str = "",
) -> go.Figure | None:
    """The newest gates of a run; None before the first gates, when a live plot shows its waiting text.

    ``scale``: the factor of each part, where it is known. Gates in very many layers are drawn block by block;
    ``opened`` and ``wanted`` as in ``deep_rows``.
    """
    found = last_gates(events)
    if found is None:
        return None
    stage, gates = found
    if is_deep(stage):
        rows = deep_rows(stage, gates, scale, opened=opened, wanted=wanted)
        return rows_picture(rows, stage.sources, theme=theme, show=show, height=height)
    return gates_picture(
        stage.parts,
        stage.sources,
        gates.probability,
        gates.value,
        groups=stage.groups,
        theme=theme,
        show=show,
        height=height,
        scale=scale,
    )


def most_rows(height: int) -> int:
    """The number of rows that a figure of this ``height`` (px) shows, each at least 1 px high."""
    return max(1, height - _TOP - _BOTTOM)


def gates_picture(
    parts: Sequence[str],
    sources: Sequence[str],
    probability: Matrix,
    value: Matrix,
    *,
    theme: Theme,
    groups: Sequence[str] = (),
    show: Shown = "probability",
    height: int = 460,
    scale: Sequence[float] = (),
) -> go.Figure:
    """The gates of parts x sources, in the network's order; ``height`` in px decides which labels fit.

    ``probability`` and ``value`` are [part][source], 0-1. Gates whose deterministic value is exactly 0 or 1 are marked
    with ``CLOSED`` and ``OPEN``, or with a bar at the left or right edge if rows are too low for glyphs. Where rows
    would be lower than 1 px, each is the mean of several parts. ``scale`` has a factor for each part, or none.
    """
    table = gate_rows(parts, groups, probability, value, scale, most=most_rows(height))
    return rows_picture(table, sources, theme=theme, show=show, height=height, revision="|".join(parts))


def rows_picture(
    table: GateRows, sources: Sequence[str], *, theme: Theme, show: Shown, height: int, revision: str = ""
) -> go.Figure:
    """Rows of gates as ``gates_picture`` draws them; a zoom is kept while the ``revision`` (the rows) stays."""
    rows, columns, owners = distinct(table.titles, 60), distinct(sources, 24), list(table.groups)
    figure = new_figure(theme, narrow={"coloraxis.colorbar.thickness": 8, **_narrow_names(columns)})
    share = min(1.0, len(rows) * _ROW / most_rows(height))
    row = share * most_rows(height) / max(len(rows), 1)
    two = any(factor != 1 for factor in table.scale)  # colour bars, one above the other
    beside = 1.0 if two else max(share, min(1.0, _BAR_LEAST / most_rows(height)))  # what they take of the height
    cells = _cells(rows, columns, table, show)  # written before it is added, which takes a third of the time
    if table.keys:
        cells.update(text=exact_texts(table, row), texttemplate="%{text}", textfont={"size": 11})
    elif row >= _GLYPH:
        size = round(min(18, 0.6 * row))
        cells.update(text=_glyphs(table.value), texttemplate="%{text}", textfont={"size": size})
    figure.add_trace(cells)
    if not table.keys and row < _GLYPH:
        figure.add_trace(_bars(rows, table.value))
        figure.update_layout(xaxis2=_bars_axis(len(columns)))
    figure.update_layout(
        coloraxis=_scale(show, beside, theme),
        margin={"l": 12, "r": 8, "t": _TOP, "b": _BOTTOM},
        xaxis=_sources_axis(columns),
        yaxis=_rows_axis(rows, owners, row, share),
        shapes=_separators(owners, theme) if len(set(owners)) < len(rows) and not table.keys else [],
        uirevision=revision or "|".join(rows),
    )
    figure.add_annotation(
        text="<br>".join(deep_notes(table) if table.keys else _notes(table, show, low=row < _GLYPH)),
        showarrow=False, align="left",
        xref="paper", yref="paper", x=0, xanchor="left", y=1 - beside, yanchor="top", yshift=-4,
        font={"color": colour("quiet", theme), "size": 12},
    )  # fmt: skip
    add_factors(figure, rows, table.scale, theme)
    return figure


def _notes(table: GateRows, show: Shown, *, low: bool) -> list[str]:
    """What marks and colours mean, in lines that fit a phone."""
    lines = [
        _MARKS[low],
        "Colour: " + ("how likely the gate is open in a random draw" if show == "probability" else "z"),
    ]
    cells = zip(table.value, table.probability, strict=True)
    if any(z == 1 and p < HELD for values, chances in cells for z, p in zip(values, chances, strict=True)):
        lines.append("Fully open though unlikely: the last one left in its row")
    if table.each > 1:
        lines[1:1] = [f"Each row is the mean of up to {table.each} channels"]
    return lines[:_LINES]


def _glyphs(value: Matrix) -> list[list[str]]:
    return [[CLOSED if cell == 0 else OPEN if cell == 1 else "" for cell in line] for line in value]


def _cells(rows: list[str], columns: list[str], table: GateRows, show: Shown) -> go.Heatmap:
    probable = show == "probability"
    if table.keys:
        return deep_cells(rows, columns, table, probable=probable)
    here = "P(open) = %{z:.2f}, z = %{customdata}" if probable else "z = %{customdata}"
    pairs = [list(zip(*lines, strict=True)) for lines in zip(table.value, table.probability, strict=True)]
    return go.Heatmap(
        z=[[round(cell, 3) for cell in line] for line in (table.probability if probable else table.value)],
        x=columns,
        y=rows,
        customdata=[[value_text(z) + ("" if probable else f", P(open) = {p:.2f}") for z, p in line] for line in pairs],
        hovertemplate="%{y}<br>%{x}<br>" + ("mean " if table.each > 1 else "") + here + "<extra></extra>",
        coloraxis="coloraxis",
        xgap=1,
        ygap=1 if len(rows) <= 60 else 0,
        name="gates",
    )


def _bars(rows: list[str], value: Matrix) -> go.Heatmap:
    """One flat heatmap of the cells' edges: 0 is drawn white, 2 black, 1 not at all."""
    edges = [[mark for cell in line for mark in (0 if cell == 0 else 1, 1, 2 if cell == 1 else 1, 1)] for line in value]
    sources = len(value[0]) if value else 0
    steps = (_EDGE, _EDGE + _BAR, 1 - _EDGE - _BAR, 1 - _EDGE)
    corners = [place - 0.5 + step for place in range(sources) for step in steps]
    white, clear, black = "#fefefe", "rgba(0,0,0,0)", "#010101"
    return go.Heatmap(
        z=np.array(edges, dtype=np.uint8).reshape(len(rows), 4 * sources),
        x=[*corners, sources - 0.5],
        y=rows,
        xaxis="x2",
        zmin=0,
        zmax=2,
        colorscale=[(0, white), (0.25, white), (0.25, clear), (0.75, clear), (0.75, black), (1, black)],
        showscale=False,
        hoverinfo="skip",
        name="exact",
    )


def _bars_axis(sources: int) -> dict[str, Any]:
    return {"overlaying": "x", "range": [-0.5, sources - 0.5], "visible": False, "fixedrange": True}


def _sources_axis(columns: list[str]) -> dict[str, Any]:
    """The names of the sources over their columns, level and in lines that fit."""
    axis: dict[str, Any] = {"type": "category", "side": "top", "fixedrange": True, "tickangle": 0}
    axis |= {
        "tickmode": "array",
        "tickvals": columns,
        "ticktext": [_in_lines(name, _WIDE, columns) for name in columns],
    }
    return {**axis, "showgrid": False, "ticks": "", "showline": False}


def _narrow_names(columns: list[str]) -> dict[str, Any]:
    """Changes for a phone: "Source 1" in two lines, or, where columns are too narrow for words, by its number."""
    if columns and _letters(_PHONE, columns) < len("Source"):
        text = [_in_lines(_SOURCE.sub(r"\1", name), _PHONE, columns) for name in columns]
        title = "Source" if all(map(_SOURCE.match, columns)) else ""
        return {"xaxis.ticktext": text, "xaxis.title.text": title}
    return {"xaxis.ticktext": [_in_lines(name, _PHONE, columns) for name in columns]}


def _letters(width: int, columns: list[str]) -> int:
    """How many letters fit over a column of a plot of this ``width`` (px)."""
    return max(2, int(width / len(columns) / _LETTER))


def _in_lines(name: str, width: int, columns: list[str]) -> str:
    """An escaped name in two lines at most that fit over its column; what is left out ends in an ellipsis."""
    lines = wrap(unescape(name), _letters(width, columns), max_lines=2, placeholder="…")
    return "<br>".join(escape(line) for line in lines)


def _scale(show: Shown, length: float, theme: Theme) -> dict[str, Any]:
    """The colours, and their bar beside the rows and never beside the note below them, which is wider than the rows."""
    bar = {
        "title": {"text": _TITLES[show], "side": "right"},
        "tickvals": [0, 0.25, 0.5, 0.75, 1],
        "ticks": "outside",
        "ticklen": 3,
        "tickcolor": colour("axis", theme),
        "tickfont": {"color": colour("quiet", theme)},
        "thickness": 12,
        "outlinewidth": 0,
        "xpad": 8,
        "ypad": 0,
        "len": length,
        "y": 1,
        "yanchor": "top",
    }
    return {"colorscale": "Cividis", "cmin": 0, "cmax": 1, "cauto": False, "colorbar": bar}


def _rows_axis(rows: list[str], owners: list[str], row: float, share: float) -> dict[str, Any]:
    """Layer labels at the middle of their rows; if two would overlap, the smaller layer has none."""
    chosen: list[tuple[float, str]] = []
    for name, first, last in sorted(blocks(owners), key=lambda block: block[1] - block[2]):
        middle = (first + last) / 2
        if name and all(abs(middle - other) * row >= _LABEL for other, _ in chosen):
            chosen.append((middle, escape(name, 24)))
    chosen.sort()
    return {
        "type": "category",
        "range": [len(rows) - 0.5, -0.5],
        "autorange": False,
        "domain": [1 - share, 1],
        "tickmode": "array",
        "tickvals": [middle for middle, _ in chosen],
        "ticktext": [name for _, name in chosen],
        "showgrid": False,
        "showline": False,
        "ticks": "outside",
        "tickcolor": "rgba(0,0,0,0)",  # ticks only keep a distance between a label and its row
    }


def _separators(owners: list[str], theme: Theme) -> list[dict[str, Any]]:
    line = {"color": colour("background", theme), "width": 3}
    return [
        {
            "type": "line",
            "xref": "paper",
            "x0": 0,
            "x1": 1,
            "y0": first - 0.5,
            "y1": first - 0.5,
            "line": line,
        }
        for _, first, _ in blocks(owners)[1:]
    ]
