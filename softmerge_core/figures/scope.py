"""Figures of scope alignment during training: the barrier, the losses and accuracies, and the path between sources."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from softmerge_core.events import Barrier, Evaluation, Event, Loss, WeightPath
from softmerge_core.experiments.scope.told import SIDES, newest_paths, source_key
from softmerge_core.experiments.scope.words import points_number, source_title
from softmerge_core.experiments.words import signed
from softmerge_core.figures.labels import EndLabel, end_labels
from softmerge_core.figures.style import DASHES, MARKERS, Theme, colour, new_figure

Measure = Literal["error", "loss"]
TOP, BOTTOM = 30, 48  # px
SIDE_STYLES = {"plain": ("without", "dash", "square"), "aligned": ("with", "solid", "circle")}  # colour, dash, marker
_UNITS = {"error": ("points", 100.0), "loss": ("nats", 1.0)}  # unit, factor


@dataclass(frozen=True)
class LineStyle:
    """The look of one source on one side: the colour is the side's, dash and marker are the source's."""

    color: str
    dash: str
    marker: str
    width: float


def source_style(side: str, number: int, theme: Theme) -> LineStyle:
    """The style of source ``number`` on a side: thin with an open marker without alignment, else thick and filled."""
    hue, marker = colour(SIDE_STYLES[side][0], theme), MARKERS[number % len(DASHES)]
    dash = DASHES[number % len(DASHES)]
    return LineStyle(hue, dash, marker, 2.5) if side == "aligned" else LineStyle(hue, dash, f"{marker}-open", 1.5)


def barrier_figure(
    events: Sequence[Event], *, theme: Theme, epochs: int, stages: int = 1, of: Measure = "error", height: int = 360
) -> go.Figure | None:
    """The barrier (points of error, or nats of loss) over epochs, a line a side; None before the first.

    ``epochs``: of the whole run, whose ``stages`` are separated by thin lines.
    """
    lines = {side: _barriers(events, side, of) for side in SIDES}
    values = [y for line in lines.values() for y in line.values() if isfinite(y)]
    if not values:
        return None
    unit, factor = _UNITS[of]
    low, high = _range(values, 0.1 * factor)
    figure, labels = new_figure(theme), []
    for side, line in lines.items():
        if line:
            labels += _add_barrier(figure, side, line, theme, of)
    mark_borders(figure, epochs, stages, theme)
    figure.add_hline(y=0, line={"color": colour("axis", theme), "width": 1}, layer="below")
    figure.update_layout(
        showlegend=False,
        margin={"t": TOP, "b": BOTTOM},
        xaxis={"title": {"text": "Epoch"}, "range": [0, epochs]},
        yaxis={"title": {"text": f"{of.capitalize()} barrier ({unit}), one seed"}, "range": [low, high]},
    )
    end_labels(figure, labels, low=low, high=high, plot_height=height - TOP - BOTTOM)
    return figure


def _barriers(events: Sequence[Event], side: str, of: Measure) -> dict[int, float]:
    factor = _UNITS[of][1]
    return {e.step: factor * getattr(e, of) for e in events if isinstance(e, Barrier) and e.series == side}


def _range(values: Sequence[float], least: float) -> tuple[float, float]:
    """Zero and all values, with room to read, at least ``least`` high."""
    low, high = min(0.0, *values), max(least, *values)
    room = 0.06 * (high - low)
    return low - room, high + room


def _add_barrier(figure: go.Figure, side: str, line: dict[int, float], theme: Theme, of: Measure) -> list[EndLabel]:
    name, dash, marker = SIDE_STYLES[side]
    hue = colour(name, theme)
    figure.add_scatter(
        x=list(line), y=list(line.values()), name=SIDES[side], mode="lines+markers", cliponaxis=False,
        line={"color": hue, "dash": dash, "width": 2.5}, marker={"color": hue, "symbol": marker, "size": 6},
        hovertemplate=f"{SIDES[side]}, epoch %{{x}}: %{{y:.3g}} {_UNITS[of][0]}<extra></extra>",
    )  # fmt: skip
    last = list(line.values())[-1]
    if not isfinite(last):
        return []
    number = points_number(last) if of == "error" else signed(last, 2).removeprefix("+")
    text = f"{SIDES[side]} {number}"
    return [EndLabel(last, text, text, hue)]


def mark_borders(figure: go.Figure, epochs: int, stages: int, theme: Theme) -> None:
    """Draw a thin line where each stage but the first begins."""
    for stage in range(1, stages):
        figure.add_vline(
            x=stage * epochs / stages, line={"color": colour("axis", theme), "width": 1}, layer="below"
        )  # fmt: skip


def sources_figure(events: Sequence[Event], *, theme: Theme, epochs: int, stages: int = 1) -> go.Figure | None:
    """Training loss (mean of each epoch, nats) above accuracy on test data (percent), a line per source and side."""
    losses, scores = _by_series(events, Loss, "task", 1), _by_series(events, Evaluation, "accuracy", 100)
    if not losses and not scores:
        return None
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08, figure=new_figure(theme))
    for row, found, unit in ((1, losses, "nats"), (2, scores, "%")):
        for (side, number), line in sorted(found.items()):
            trace = source_line(side, number, line, theme, f"%{{y:.3g}} {unit}")
            figure.add_trace(trace.update(showlegend=row == 2), row=row, col=1)
    if not losses:  # plotly draws no panel without a line
        figure.add_scatter(x=[0], y=[None], showlegend=False, hoverinfo="skip", name="room", row=1, col=1)
    mark_borders(figure, epochs, stages, theme)
    figure.update_xaxes(range=[0, epochs])
    figure.update_xaxes(title={"text": "Epoch"}, row=2)
    figure.update_yaxes(title={"text": "Loss (nats)"}, rangemode="tozero", row=1)
    figure.update_yaxes(title={"text": "Accuracy (%)"}, range=[0, 101], row=2)
    figure.update_layout(margin={"t": 44, "b": BOTTOM}, meta={"theme": theme, "narrow": {"margin.t": 64}})
    return figure


def _by_series(
    events: Sequence[Event], kind: type[Event], value: str, factor: float
) -> dict[tuple[str, int], dict[int, float]]:
    """By (side, source) and then by epoch, the measured values."""
    found: dict[tuple[str, int], dict[int, float]] = {}
    for event in events:
        if isinstance(event, kind) and (key := source_key(getattr(event, "series", ""))):
            found.setdefault(key, {})[event.step] = factor * float(getattr(event, value))
    return found


def source_line(side: str, number: int, line: dict[int, float], theme: Theme, hover: str) -> go.Scatter:
    """One source's line over epochs, with a marker only at its end."""
    style, title = source_style(side, number, theme), source_title(number, side)
    sizes = [0] * (len(line) - 1) + [7]
    return go.Scatter(
        x=list(line), y=list(line.values()), name=title, legendgroup=title, mode="lines+markers",
        line={"color": style.color, "dash": style.dash, "width": style.width},
        marker={"color": style.color, "symbol": style.marker, "size": sizes}, cliponaxis=False,
        hovertemplate=f"{title}, epoch %{{x}}: {hover}<extra></extra>",
    )  # fmt: skip


def path_figure(events: Sequence[Event], *, theme: Theme, height: int = 320) -> go.Figure | None:
    """Test error (percent) on the straight line from source A to source B, a line a side; None before the end.

    Where sources started from different weights, the lines between their permuted copies are drawn as well.
    """
    paths = newest_paths(events)
    if not paths:
        return None
    figure, labels = new_figure(theme), []
    values = [100 * error for path in paths.values() for error in path.test_error]
    low, high = 0.0, min(max(10.0, 1.08 * max(values)), 101.0)
    for series, path in sorted(paths.items(), reverse=True):
        labels.append(_add_path(figure, series, path, theme))
    figure.update_layout(
        showlegend=False,
        margin={"t": TOP, "b": BOTTOM},
        xaxis={"title": {"text": "From Source A (0) to Source B (1)"}, "range": [0, 1]},
        yaxis={"title": {"text": "Test error (%), one seed"}, "range": [low, high]},
    )
    end_labels(figure, labels, low=low, high=high, plot_height=height - TOP - BOTTOM)
    return figure


def _add_path(figure: go.Figure, series: str, path: WeightPath, theme: Theme) -> EndLabel:
    side, _, permuted = series.partition(":")
    name, dash, marker = SIDE_STYLES[side]
    hue, dash = colour(name, theme), "dot" if permuted else dash
    title = f"{SIDES[side]}, permuted" if permuted else SIDES[side]
    percent = [100 * error for error in path.test_error]
    symbol = f"{marker}-open" if permuted else marker
    figure.add_scatter(
        x=list(path.t), y=percent, name=title, mode="lines+markers", cliponaxis=False,
        line={"color": hue, "dash": dash, "width": 2}, marker={"color": hue, "symbol": symbol, "size": 5},
        hovertemplate=f"{title}, t = %{{x:.2f}}: %{{y:.1f}}\u00a0%<extra></extra>",
    )  # fmt: skip
    return EndLabel(percent[-1], title, title.replace("permuted", "perm."), hue)
