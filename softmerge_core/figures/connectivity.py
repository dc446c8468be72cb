"""Figures of loss and error along paths between networks, with the barriers marked, and along a Bezier curve."""

from collections.abc import Sequence
from math import inf, isfinite
from typing import Any, Literal, NamedTuple

import plotly.graph_objects as go

from softmerge_core.events import BezierCurve, Event, WeightPath, newest
from softmerge_core.experiments.connectivity.words import OVERLAYS, no_barrier
from softmerge_core.figures.barriers import number_offsets
from softmerge_core.figures.laying import Mark, lay
from softmerge_core.figures.style import Theme, colour, escape, method_style, new_figure, source_colour
from softmerge_core.landscape.barriers import path_barrier

What = Literal["loss", "error"]
AXES = {"loss": "Loss (nats)", "error": "Error (%)"}
ROW, LETTER, ENTRY, WIDTH = 19, 6.8, 46, 390  # px: the legend's rows, letters, marks; the narrowest plot
BOTTOM = 48  # px
FEW = 3  # the most barriers whose heights can be written beside each other
_STYLES = {  # overlay -> palette colour and marker
    "plain": ("without", "square"),
    "weights": ("with", "diamond"),
    "activations": ("with_activations", "triangle-up"),
    "weights_repair": ("with_repair", "circle"),
    "activations_repair": ("with_activations_repair", "x"),
    "scope": ("with_scope", "star"),
}


class Line(NamedTuple):
    """A path to draw, with a colour and marker of its own."""

    path: WeightPath
    title: str
    color: str
    marker: str


class Marked(NamedTuple):
    """A path's barrier in the axis' unit: its height, where it is, and the path's value there."""

    line: Line
    rise: float
    t: float
    top: float


def paths_figure(
    events: Sequence[Event], *, theme: Theme, what: What, names: tuple[str, str], height: int = 340
) -> go.Figure | None:
    """Loss (nats) or error (percent) along each overlay's path; None before the first.

    Solid with markers: test data; faint and dashed: training data. A stroke from the line between a path's ends up to
    the path marks its barrier on test data, with its height.
    """
    found = {event.series: event for event in events if isinstance(event, WeightPath) and event.t}
    lines = [
        Line(found[key], title, colour(_STYLES[key][0], theme), _STYLES[key][1])
        for key, title in OVERLAYS.items()
        if key in found
    ]
    figure = _drawn(lines, what, theme, _between(names))
    if figure is not None:
        _mark_barriers(figure, lines, what, theme, height)
    return figure


def is_tested(trace: go.Scatter) -> bool:
    """Whether a trace of ``paths_figure`` is of test data, which have markers."""
    return str(trace.mode) == "lines+markers"


def starts_figure(events: Sequence[Event], *, theme: Theme, what: What, names: tuple[str, str]) -> go.Figure | None:
    """Loss or error from each model's initial weights (t = 0) to the model (t = 1); None where neither is known."""
    found = {event.series: event for event in events if isinstance(event, WeightPath) and event.t}
    markers = ("circle", "diamond")
    lines = [
        Line(found[f"start:{k}"], f"To {escape(name, 24)}", source_colour(k, theme), marker)
        for k, (name, marker) in enumerate(zip(names, markers, strict=True))
        if f"start:{k}" in found
    ]
    return _drawn(lines, what, theme, "t (0: initial weights, 1: trained)")


def _drawn(lines: Sequence[Line], what: What, theme: Theme, title: str) -> go.Figure | None:
    if not lines:
        return None
    figure = new_figure(theme)
    for line in lines:
        for split in ("train", "test"):
            figure.add_trace(_curve(line, what, split))
    rows = _legend_rows([line.title for line in lines])
    figure.update_layout(
        xaxis=_t_axis(title),
        yaxis={"title": {"text": AXES[what]}, "range": _reach(lines, what)},
        margin={"t": 10 + ROW * rows, "b": BOTTOM, "r": 12},
    )
    return figure


def _between(names: tuple[str, str]) -> str:
    """The title of the axis from one model to another."""
    return f"t (0: {escape(names[0], 18)}, 1: {escape(names[1], 18)})"


def _t_axis(title: str) -> dict[str, Any]:
    return {"title": {"text": title}, "range": [-0.03, 1.03], "dtick": 0.25}


def _legend_rows(titles: Sequence[str]) -> int:
    """The number of rows that the legend's entries need, all as wide as the widest."""
    entry = ENTRY + LETTER * max(map(len, titles))
    return -(-len(titles) // max(1, int(WIDTH // entry)))


def _values(path: WeightPath, what: What, split: str) -> list[float]:
    scale = 1 if what == "loss" else 100
    return [scale * value for value in getattr(path, f"{split}_{what}")]


def _reach(lines: Sequence[Line], what: What) -> list[float]:
    """From zero to a little above the highest finite value."""
    values = [v for line in lines for split in ("train", "test") for v in _values(line.path, what, split)]
    top = max((v for v in values if isfinite(v)), default=1.0)
    return [0, 1.14 * top if top > 0 else 1]


def _curve(line: Line, what: What, split: str) -> go.Scatter:
    test, unit = split == "test", "nats" if what == "loss" else "%"
    return go.Scatter(
        x=line.path.t, y=_values(line.path, what, split), name=line.title if test else f"{line.title}, train",
        legendgroup=line.title, showlegend=test, mode="lines+markers" if test else "lines",
        opacity=1 if test else 0.5,
        line={"color": line.color, "width": 2 if test else 1.25, "dash": "solid" if test else "dash"},
        marker={"symbol": line.marker, "size": 6}, cliponaxis=False,
        hovertemplate=f"{line.title}, {split}<br>t = %{{x:.2f}}: %{{y:.3g}} {unit}<extra></extra>",
    )  # fmt: skip


def _mark_barriers(figure: go.Figure, lines: Sequence[Line], what: What, theme: Theme, height: int) -> None:
    """Draw a stroke for each path, from the line between its ends to the point highest above it, with the height.

    A height that finds no free place at its peak has a thin line to it; with more than FEW paths, none is written.
    """
    scale = 1 if what == "loss" else 100
    marked: list[Marked] = []
    strokes: list[Mark] = []
    for line in lines:
        rise, t = path_barrier(line.path, what)
        if not no_barrier(rise, what) and rise < inf:
            top = scale * getattr(line.path, f"test_{what}")[line.path.t.index(t)]
            marked.append(Marked(line, scale * rise, t, top))
            look = {"color": line.color, "width": 1, "dash": "dot"}
            ends = {"x0": t, "x1": t, "y0": top - scale * rise, "y1": top}
            strokes.append({"type": "line", **ends, "layer": "below", "line": look})
    lay(figure, shapes=strokes)
    if len(marked) <= FEW:
        _write_heights(figure, lines, marked, what, theme, height)


def _write_heights(
    figure: go.Figure, lines: Sequence[Line], marked: Sequence[Marked], what: What, theme: Theme, height: int
) -> None:
    """Write each barrier's height near its peak, where it covers no line, and join it to the peak."""
    places = number_offsets(
        [(t, top) for *_, t, top in marked],
        [(line.path.t, _values(line.path, what, split)) for line in lines for split in ("train", "test")],
        span=tuple(figure.layout.xaxis.range),
        reach=tuple(figure.layout.yaxis.range),
        height=height - figure.layout.margin.t - BOTTOM,
    )
    look = {
        "showarrow": True, "arrowhead": 0, "arrowwidth": 1, "standoff": 5, "xanchor": "center", "yanchor": "middle",
        "bgcolor": colour("background", theme), "borderpad": 0,
    }  # fmt: skip
    lay(figure, annotations=[
        {
            "text": f"{rise:.2f}" if what == "loss" else f"{rise:.1f}", "x": t, "y": top, "ax": right, "ay": -up,
            "arrowcolor": line.color, "font": {"color": line.color, "size": 12}, **look,
        }
        for (line, rise, t, top), (right, up) in zip(marked, places, strict=True)
    ])  # fmt: skip


def curve_figure(events: Sequence[Event], *, theme: Theme, what: What, names: tuple[str, str]) -> go.Figure | None:
    """Loss or error along the Bezier curve as it stands, beside the straight line's; None before the first look."""
    curve = newest(events, BezierCurve)
    if curve is None:
        return None
    figure, scale = new_figure(theme), 1 if what == "loss" else 100
    unit = "nats" if what == "loss" else "%"
    for key, title, values in (
        ("average", "Straight line", getattr(curve, f"straight_{what}")),
        ("soft", "Bezier curve", getattr(curve, what)),
    ):
        style = method_style(key, theme)
        figure.add_scatter(
            x=curve.t, y=[scale * value for value in values], name=title, mode="lines+markers", cliponaxis=False,
            line={"color": style.color, "dash": style.dash, "width": 2},
            marker={"symbol": style.marker, "size": 6},
            hovertemplate=f"{title}<br>t = %{{x:.2f}}: %{{y:.3g}} {unit}<extra></extra>",
        )  # fmt: skip
    known = [scale * v for v in (*getattr(curve, f"straight_{what}"), *getattr(curve, what)) if isfinite(v)]
    top = max(known, default=1.0)
    figure.update_layout(
        xaxis=_t_axis(_between(names)),
        yaxis={"title": {"text": AXES[what]}, "range": [0, 1.1 * max(top, 1e-6)]},
        margin={"t": 10 + ROW, "b": BOTTOM, "r": 12},
    )
    return figure
