"""The figure of the gates: a row for each part, a column for each source, colours on a fixed 0-1 scale."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from softmerge_core.events import Event, Gates, Matrix, Stage
from softmerge_core.figures.style import Theme, colour, distinct, escape, new_figure

Shown = Literal["probability", "value"]
CLOSED, OPEN = "○", "●"
_TITLES: dict[Shown, str] = {"probability": "P(open)", "value": "Gate z"}
_TOP, _BOTTOM = 28, 30  # px above and below the rows
_ROW = 44  # px: the largest height of a row
_LABEL = 14  # px: the height that a label needs
_GLYPH = 12  # px: in rows lower than this, a bar at the cell's edge replaces the glyph
_EDGE, _BAR = 0.07, 0.11  # the distance of a bar from the cell's edge and its width, as shares of the cell's width
_NOTES = (
    f"{CLOSED} exactly 0   {OPEN} exactly 1",
    "white bar: exactly 0   black bar: exactly 1",
)


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
    events: Sequence[Event], *, theme: Theme, show: Shown = "probability", height: int = 460
) -> go.Figure | None:
    """The newest gates of a run; None before the first gates, when a live plot shows its waiting text."""
    found = last_gates(events)
    if found is None:
        return None
    stage, gates = found
    return gates_picture(
        stage.parts,
        stage.sources,
        gates.probability,
        gates.value,
        groups=stage.groups,
        theme=theme,
        show=show,
        height=height,
    )


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
) -> go.Figure:
    """The gates of parts x sources, in the network's order; ``height`` in px decides which labels fit.

    ``probability`` and ``value`` are [part][source], 0-1. Gates whose deterministic value is exactly 0 or 1 are marked
    with ``CLOSED`` and ``OPEN``, or with a bar at the left or right edge if rows are too low for glyphs.
    """
    rows, columns = distinct(parts), distinct(sources, 24)
    owners = list(groups) if len(groups) == len(rows) and len(set(groups)) < len(rows) else list(parts)
    figure = new_figure(theme, narrow={"coloraxis.colorbar.thickness": 8})
    share = min(1.0, len(rows) * _ROW / (height - _TOP - _BOTTOM))
    row = share * (height - _TOP - _BOTTOM) / max(len(rows), 1)
    figure.add_trace(_cells(rows, columns, probability, value, show))
    if row >= _GLYPH:
        size = round(min(18, 0.6 * row))
        figure.update_traces(text=_glyphs(value), texttemplate="%{text}", textfont={"size": size})
    else:
        figure.add_trace(_bars(rows, value))
        figure.update_layout(xaxis2=_bars_axis(len(columns)))
    figure.update_layout(
        coloraxis=_scale(show, theme),
        margin={"l": 12, "r": 8, "t": _TOP, "b": _BOTTOM},
        xaxis=_sources_axis(),
        yaxis=_rows_axis(rows, owners, row, share),
        shapes=_separators(owners, theme) if owners != list(parts) else [],
        uirevision="|".join(parts),
    )
    figure.add_annotation(
        text=_NOTES[row < _GLYPH],
        showarrow=False,
        xref="paper", yref="paper", x=0, xanchor="left", y=1 - share, yanchor="top", yshift=-6,
        font={"color": colour("quiet", theme)},
    )  # fmt: skip
    return figure


def _glyphs(value: Matrix) -> list[list[str]]:
    return [[CLOSED if cell == 0 else OPEN if cell == 1 else "" for cell in line] for line in value]


def _cells(rows: list[str], columns: list[str], probability: Matrix, value: Matrix, show: Shown) -> go.Heatmap:
    shown, other = (probability, value) if show == "probability" else (value, probability)
    here, there = ("P(open)", "z") if show == "probability" else ("z", "P(open)")
    return go.Heatmap(
        z=[[round(cell, 3) for cell in line] for line in shown],
        x=columns,
        y=rows,
        customdata=[[round(cell, 3) for cell in line] for line in other],
        hovertemplate="%{y}<br>%{x}<br>" + f"{here} = %{{z:.2f}}, {there} = %{{customdata:.2f}}<extra></extra>",
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
    clear = "rgba(0,0,0,0)"
    return go.Heatmap(
        z=np.array(edges, dtype=np.uint8).reshape(len(rows), 4 * sources),
        x=[*corners, sources - 0.5],
        y=rows,
        xaxis="x2",
        zmin=0,
        zmax=2,
        colorscale=[
            [0, "#fefefe"],
            [0.25, "#fefefe"],
            [0.25, clear],
            [0.75, clear],
            [0.75, "#010101"],
            [1, "#010101"],
        ],
        showscale=False,
        hoverinfo="skip",
        name="exact",
    )


def _bars_axis(sources: int) -> dict[str, Any]:
    return {"overlaying": "x", "range": [-0.5, sources - 0.5], "visible": False, "fixedrange": True}


def _sources_axis() -> dict[str, Any]:
    axis = {"type": "category", "side": "top", "fixedrange": True}
    return {**axis, "showgrid": False, "ticks": "", "showline": False}


def _scale(show: Shown, theme: Theme) -> dict[str, Any]:
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
    }
    return {"colorscale": "Cividis", "cmin": 0, "cmax": 1, "cauto": False, "colorbar": bar}


def _blocks(owners: Sequence[str]) -> list[tuple[str, int, int]]:
    """The (name, first row, last row) of each run of rows that lie in one layer."""
    blocks: list[tuple[str, int, int]] = []
    for index, owner in enumerate(owners):
        if blocks and blocks[-1][0] == owner:
            blocks[-1] = (owner, blocks[-1][1], index)
        else:
            blocks.append((owner, index, index))
    return blocks


def _rows_axis(rows: list[str], owners: list[str], row: float, share: float) -> dict[str, Any]:
    """Layer labels at the middle of their rows; if two would overlap, the smaller layer has none."""
    chosen: list[tuple[float, str]] = []
    for name, first, last in sorted(_blocks(owners), key=lambda block: block[1] - block[2]):
        middle = (first + last) / 2
        if all(abs(middle - other) * row >= _LABEL for other, _ in chosen):
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
        for _, first, _ in _blocks(owners)[1:]
    ]
