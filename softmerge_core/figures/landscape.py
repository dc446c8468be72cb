"""Figures of a plane of weight space: loss or error as colours and contours, the models on it, and paths above it."""

from collections.abc import Sequence
from math import isfinite, log, log10, nan
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from softmerge_core.events import Event, PlaneRows, PlaneTrail, WeightPlane, newest
from softmerge_core.figures.style import Theme, escape, new_figure
from softmerge_core.numbers import number_text

What = Literal["loss", "error"]
SCALE = "Viridis"  # perceptually uniform; Cividis is kept for probabilities
LINES = 12  # contour lines over the whole scale
_TICKS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_TRAILS = {"soft": ("Gate training", "solid"), "bezier": ("Bezier curve", "dot")}


def loss_scale(plane: WeightPlane) -> tuple[float, float]:
    """The (lowest, highest) loss in nats that has a colour of its own; known before the first row.

    It goes from half the lowest of the models' losses to four times that of guessing (ln classes), or to 1.2 times
    that of the worst model if this is more.
    """
    known = [loss for loss in plane.loss if isfinite(loss)]
    low = max(0.5 * min(known, default=0.1), 1e-3)
    high = max(4 * log(max(plane.classes, 2)), 1.2 * max(known, default=1.0))
    return low, max(high, 10 * low)


def plane_grid(events: Sequence[Event], plane: WeightPlane, what: What) -> np.ndarray:
    """[y, x] loss (nats) or error (percent); NaN where nothing has come yet."""
    grid = np.full((len(plane.y), len(plane.x)), nan)
    for event in events:
        if isinstance(event, PlaneRows):
            rows = np.array(getattr(event, what), dtype=float)
            grid[event.first : event.first + len(rows)] = rows
    return grid if what == "loss" else 100 * grid


def plane_figure(events: Sequence[Event], *, theme: Theme, what: What, names: Sequence[str] = ()) -> go.Figure | None:
    """The plane as far as it is known; None before it is announced. Its scale does not change as rows come in.

    ``names``: the titles of the models in the picture; any further ones have the names in the event.
    """
    plane = newest(events, WeightPlane)
    if plane is None:
        return None
    grid = plane_grid(events, plane, what)
    figure = new_figure(theme, narrow={"margin.l": 44})
    _add_surface(figure, plane, grid, what)
    for trail in (event for event in events if isinstance(event, PlaneTrail)):
        _add_trail(figure, trail)
    _add_models(figure, plane, what, [*names, *plane.names[len(names) :]][: len(plane.corners)])
    unit = "distance between weights" if plane.span == "models" else "filter norms"
    figure.update_layout(
        xaxis={"title": {"text": f"x ({unit})"}, "range": [plane.x[0], plane.x[-1]], "showgrid": False},
        yaxis={"title": {"text": f"y ({unit})"}, "range": [plane.y[0], plane.y[-1]], "showgrid": False},
        showlegend=False,
        margin={"t": 12, "r": 8, "b": 48},
    )
    return figure


def _add_surface(figure: go.Figure, plane: WeightPlane, grid: np.ndarray, what: What) -> None:
    """Draw cells by colour, with thin contour lines over them; hovering shows the value before clipping."""
    if what == "loss":
        low, high = loss_scale(plane)
        shown = np.log10(np.clip(grid, low, high))
        lowest, highest = log10(low), log10(high)
        bar, text = _loss_bar(low, high), "loss %{customdata:.3g} nats"
    else:
        shown, lowest, highest, text = grid, 0.0, 100.0, "error %{customdata:.1f}\u00a0%"
        bar = {"title": {"text": "Error (%)", "side": "right"}, "tickvals": [0, 25, 50, 75, 100]}
    common: dict[str, Any] = {"x": plane.x, "y": plane.y, "z": shown, "zmin": lowest, "zmax": highest}
    figure.add_heatmap(
        **common, name=what, colorscale=SCALE, customdata=grid,
        hovertemplate=f"({'%{x:.3g}, %{y:.3g}'})<br>{text}<extra></extra>",
        colorbar={**bar, "thickness": 12, "outlinewidth": 0, "len": 1, "xpad": 6},
    )  # fmt: skip
    size = (highest - lowest) / LINES
    figure.add_contour(
        **common, name="lines", showscale=False, hoverinfo="skip", line={"color": "rgba(255,255,255,0.4)", "width": 1},
        contours={"coloring": "none", "start": lowest + size, "end": highest - size / 2, "size": size},
    )  # fmt: skip


def _loss_bar(low: float, high: float) -> dict[str, Any]:
    """Ticks in nats on the logarithmic scale; the marks at both ends tell that losses beyond are clipped."""
    inner = [tick for tick in _TICKS if 1.3 * low < tick < high / 1.3]
    return {
        "title": {"text": "Loss (nats, log scale)", "side": "right"},
        "tickvals": [log10(low), *map(log10, inner), log10(high)],
        "ticktext": [
            f"≤ {number_text(low, 2)}",
            *(number_text(tick, 6) for tick in inner),
            f"≥ {number_text(high, 2)}",
        ],
    }


def _add_trail(figure: go.Figure, trail: PlaneTrail) -> None:
    """Draw a light line with a dark edge, visible on every colour; a ring marks its beginning, a star its end."""
    title, dash = _TRAILS.get(trail.series, (escape(trail.series), "solid"))
    for color, width in (("black", 5), ("white", 2.5)):
        figure.add_scatter(
            x=trail.x, y=trail.y, mode="lines", name=f"{title}, {color}", hoverinfo="skip",
            line={"color": color, "width": width, "dash": "solid" if color == "black" else dash},
        )  # fmt: skip
    if trail.series != "soft" or not trail.x:
        return
    figure.add_scatter(
        x=[trail.x[0], trail.x[-1]], y=[trail.y[0], trail.y[-1]], mode="markers", name=title,
        marker={
            "symbol": ["circle-open", "star"], "size": [10, 14], "color": "white",
            "line": {"color": ["white", "black"], "width": [2, 1]},
        },
        text=["gates begin here", "gates end here"], hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    _label(figure, trail.x[-1], trail.y[-1], "gates", below=True)


def _add_models(figure: go.Figure, plane: WeightPlane, what: What, titles: Sequence[str]) -> None:
    """Draw a dot with its name for each model that lies on the plane."""
    x, y = zip(*plane.corners, strict=True)
    values = (
        [f"loss {number_text(v)} nats" for v in plane.loss]
        if what == "loss"
        else [f"error {100 * v:.1f}\u00a0%" for v in plane.error]
    )
    names = [escape(name, 24) for name in titles]
    figure.add_scatter(
        x=x, y=y, mode="markers", name="models", cliponaxis=False,
        marker={"symbol": "circle", "size": 12, "color": "white", "line": {"color": "black", "width": 2}},
        text=[f"{name}: {value}" for name, value in zip(names, values, strict=True)],
        hovertemplate="%{text}<extra></extra>",
    )  # fmt: skip
    for name, across, up in zip(names, x, y, strict=True):
        _label(figure, across, up, name)


def _label(figure: go.Figure, x: float, y: float, text: str, *, below: bool = False) -> None:
    figure.add_annotation(
        text=text, x=x, y=y, showarrow=False, yanchor="top" if below else "bottom", yshift=-10 if below else 9,
        font={"color": "black", "size": 12}, bgcolor="rgba(255,255,255,0.8)", borderpad=1,
    )  # fmt: skip
