"""Figures layer by layer: histograms of the weights, the course of their scopes, and the distance between scopes."""

from collections.abc import Iterator, Sequence
from math import exp, isfinite, log10, pi, sqrt
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from softmerge_core.events import Barrier, Event, Histogram, Scopes
from softmerge_core.experiments.scope.told import SIDES, layers_of, newest_histograms, source_key
from softmerge_core.experiments.scope.words import layer_title, source_title
from softmerge_core.figures.scope import SIDE_STYLES, mark_borders, source_line
from softmerge_core.figures.style import Theme, colour, distinct, new_figure

MARGIN = 0.35  # powers of ten beside the least and the largest distance: room for a mark
ROW, TOP, BOTTOM = 96, 88, 52  # px: a layer's row, and the margins
_FIT = 41  # points of a Gaussian's curve


def layers_height(count: int) -> int:
    """The height (px) at which each of ``count`` layers has its row."""
    return TOP + BOTTOM + ROW * max(count, 1)


def layer_titles(layers: Sequence[str]) -> list[str]:
    """The layers' names, escaped and all different."""
    return distinct([layer_title(layer) for layer in layers], 30)


def trajectories_figure(
    events: Sequence[Event], *, theme: Theme, layers: Sequence[str], epochs: int, stages: int = 1
) -> go.Figure | None:
    """Mean (left) and spread (right) of the weights over epochs, a row a layer, a line per source and side.

    The target scope is a thin line. None before the first scopes.
    """
    scopes = [event for event in events if isinstance(event, Scopes)]
    if not scopes or not layers:
        return None
    figure = _grid(layers, ("Mean μ", "Spread σ"), theme)
    traces: list[go.Scatter] = []
    places: list[tuple[int, int]] = []
    for row, layer in enumerate(layers, 1):
        for col, name in enumerate(("mu", "sigma"), 1):
            for trace in _trajectories(scopes, layer, name, theme):
                traces.append(trace.update(showlegend=(row, col) == (1, 1)))
                places.append((row, col))
    figure.add_traces(traces, rows=[row for row, _ in places], cols=[col for _, col in places])
    mark_borders(figure, epochs, stages, theme)
    figure.update_xaxes(range=[0, epochs], showticklabels=False)
    figure.update_xaxes(showticklabels=True, title={"text": "Epoch"}, row=len(layers))
    figure.update_yaxes(nticks=4, tickformat="~g")
    return figure


def _trajectories(scopes: Sequence[Scopes], layer: str, name: str, theme: Theme) -> Iterator[go.Scatter]:
    """The target's line, then those of the sources."""
    found: dict[str, dict[int, float]] = {}
    for event in scopes:
        if layer in event.layers:
            found.setdefault(event.series, {})[event.step] = getattr(event, name)[event.layers.index(layer)]
    if target := found.get("aligned:target"):
        yield go.Scatter(
            x=list(target), y=list(target.values()), name="Target", legendgroup="Target", legendrank=1001, mode="lines",
            line={"color": colour("text", theme), "width": 1, "dash": "longdash"},
            hovertemplate="Target, epoch %{x}: %{y:.4g}<extra></extra>",
        )  # fmt: skip
    for series in sorted(found):  # without alignment lies on top: its lines are thin
        if key := source_key(series):
            yield source_line(*key, found[series], theme, "%{y:.4g}")


def histograms_figure(
    events: Sequence[Event], *, theme: Theme, layers: Sequence[str], sources: int, side: str = "aligned"
) -> go.Figure | None:
    """Each layer's weights as densities with their Gaussian fit, a row a layer, a column for each of ``sources``.

    Each series shows its newest histogram; the initial weights are an outline behind.
    """
    found = newest_histograms(events)
    if not found or not layers:
        return None
    figure = _grid(layers, [source_title(number, side) for number in range(sources)], theme, inside=True)
    figure.update_layout(bargap=0, showlegend=True)
    for row, layer in enumerate(layers, 1):
        own = {series: histogram for (series, name), histogram in found.items() if name == layer}
        for number in range(sources):
            start = own.get(f"start:{number}") or own.get("start:0")
            for trace in _densities(start, own.get(f"{side}:{number}"), side, theme):
                figure.add_trace(trace.update(showlegend=row == 1 and number == 0), row=row, col=number + 1)
        if own:
            _common_axes(figure, row, list(own.values()))
    figure.update_xaxes(nticks=max(3, 7 - sources), tickangle=0)
    figure.update_xaxes(title={"text": "Weight"}, row=len(layers))
    figure.update_yaxes(showticklabels=False, ticks="", showgrid=False)
    return figure


def _densities(
    start: Histogram | None, own: Histogram | None, side: str, theme: Theme
) -> Iterator[go.Scatter | go.Bar]:
    """A source's histogram and its fit, before the outline of the initial weights."""
    if own:
        yield _bars(own, "Weights", colour(SIDE_STYLES[side][0], theme))
    if start:
        yield _outline(start, "Initial weights").update(line={"color": colour("quiet", theme), "width": 1})
    if own:
        yield _fit(own, "Gaussian fit").update(line={"color": colour("text", theme), "width": 1.5, "dash": "dash"})


def _bars(histogram: Histogram, name: str, color: str) -> go.Bar:
    """Density over the bins."""
    middles, density = bins_of(histogram)
    return go.Bar(
        x=middles, y=density, name=name, opacity=0.6, marker={"color": color, "line": {"width": 0}},
        hovertemplate=f"{name}<br>weight %{{x:.3g}}: density %{{y:.3g}}<extra></extra>",
    )  # fmt: skip


def _outline(histogram: Histogram, name: str) -> go.Scatter:
    """Density over the bins' middles, in steps."""
    middles, density = bins_of(histogram)
    return go.Scatter(
        x=middles, y=density, name=name, mode="lines", line={"shape": "hvh"},
        hovertemplate=f"{name}<br>weight %{{x:.3g}}: density %{{y:.3g}}<extra></extra>",
    )  # fmt: skip


def bins_of(histogram: Histogram) -> tuple[list[float], list[float]]:
    """(middles of the bins, density): the area under the density is the share of weights inside the bins."""
    count = len(histogram.counts)
    width = (histogram.high - histogram.low) / count
    total = sum(histogram.counts) + histogram.outside
    middles = [histogram.low + (number + 0.5) * width for number in range(count)]
    return middles, [number / (total * width) for number in histogram.counts]


def _fit(histogram: Histogram, name: str) -> go.Scatter:
    x = [histogram.low + (histogram.high - histogram.low) * i / (_FIT - 1) for i in range(_FIT)]
    y = [gaussian(value, histogram.mu, histogram.sigma) for value in x]
    return go.Scatter(x=x, y=y, name=name, mode="lines", hoverinfo="skip")


def gaussian(x: float, mu: float, sigma: float) -> float:
    """The density of a Gaussian; 0 where there is no spread."""
    return exp(-0.5 * ((x - mu) / sigma) ** 2) / (sigma * sqrt(2 * pi)) if sigma > 0 else 0.0


def _common_axes(figure: go.Figure, row: int, histograms: Sequence[Histogram]) -> None:
    """Give all columns of a row one scale, so that they can be compared."""
    low, high = min(h.low for h in histograms), max(h.high for h in histograms)
    top = max(max(*bins_of(h)[1], gaussian(h.mu, h.mu, h.sigma)) for h in histograms)
    figure.update_xaxes(range=[low, high], row=row)
    figure.update_yaxes(range=[0, 1.1 * top], row=row)


def _grid(layers: Sequence[str], columns: Sequence[str], theme: Theme, *, inside: bool = False) -> go.Figure:
    """A row a layer, named in (``inside``) or above its left upper corner; columns with titles."""
    rows, between = len(layers), 0.24 if inside else 0.34  # ticks lie between the columns unless all is told inside
    figure = make_subplots(
        rows=rows, cols=len(columns), column_titles=list(columns), horizontal_spacing=between / len(columns),
        vertical_spacing=0.28 / rows if rows > 1 else 0, figure=new_figure(theme),
    )  # fmt: skip
    figure.update_annotations(font={"size": 13, "color": colour("quiet", theme)}, yshift=0 if inside else 12)
    for row, title in enumerate(layer_titles(layers), 1):
        figure.add_annotation(
            text=f"<b>{title}</b>", showarrow=False, xref="x domain", yref="y domain", x=0, y=1, xanchor="left",
            yanchor="top" if inside else "bottom", xshift=3 if inside else 0, row=row, col=1,
            font={"size": 12, "color": colour("text", theme)},
        )  # fmt: skip
    legend: dict[str, Any] = {"y": 1, "yref": "container", "yanchor": "top", "traceorder": "normal"}
    narrow = {"margin.t": TOP + 24, "margin.l": 44}
    figure.update_layout(margin={"t": TOP, "b": BOTTOM}, legend=legend, meta={"theme": theme, "narrow": narrow})
    return figure


def distances_figure(events: Sequence[Event], *, theme: Theme) -> go.Figure | None:
    """The distance of the sources' scopes (Jeffreys divergence in nats, log axis): a row a layer, a mark a side."""
    layers = layers_of(events)
    newest = {e.series: dict(zip(layers, e.distance, strict=False)) for e in events if isinstance(e, Barrier)}
    known = [value for own in newest.values() for value in own.values() if isfinite(value) and value > 0]
    if not known:
        return None
    labels = dict(zip(layers, layer_titles(layers), strict=True))
    figure = new_figure(theme)
    for side, own in newest.items():
        name, _, marker = SIDE_STYLES[side]
        shown = {labels[layer]: value for layer, value in own.items() if isfinite(value) and value > 0}
        figure.add_scatter(
            x=list(shown.values()), y=list(shown), name=SIDES[side], mode="markers", cliponaxis=False,
            marker={"color": colour(name, theme), "symbol": marker, "size": 10},
            hovertemplate=f"%{{y}}, {SIDES[side].lower()}: %{{x:.3g}} nats<extra></extra>",
        )  # fmt: skip
    low, high = log10(min(known)), log10(max(known))
    figure.update_layout(
        margin={"l": 8, "t": 36, "b": BOTTOM},
        xaxis={
            "title": {"text": "Distance of the scopes (nats, log scale)"}, "type": "log", "dtick": 1,
            "range": [low - MARGIN, high + MARGIN], "exponentformat": "power",
        },
        yaxis={
            "type": "category", "categoryorder": "array", "categoryarray": list(labels.values())[::-1],
            "range": [-0.6, len(labels) - 0.4], "ticks": "", "showline": False,
            "tickfont": {"color": colour("text", theme)},
        },
    )  # fmt: skip
    return figure
