"""The figure of a classifier's decision regions on two-dimensional data, with the data above them."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from softmerge_core.events import Boundary, Event, Points
from softmerge_core.experiments.merge.kept import Kept
from softmerge_core.figures.style import Theme, class_colours, colour, escape, method_title, new_figure

SYMBOLS = (
    "circle",
    "square",
    "diamond",
    "triangle-up",
    "cross",
    "x",
    "star",
    "pentagon",
    "hexagon",
    "triangle-down",
)


def boundary_figure(
    events: Sequence[Event], *, theme: Theme, series: str = "soft", kept: Kept | None = None, title: str = ""
) -> go.Figure | None:
    """The newest decision regions of ``series`` and the data set's points; None before the first regions.

    Where they are those of the network that was ``kept``, the legend's title says so; or it is ``title``.
    """
    found = [event for event in events if isinstance(event, Boundary) and event.series == series]
    if not found:
        return None
    points = next((event for event in events if isinstance(event, Points)), None)
    boundary = found[-1]
    count = 1 + max([*boundary.classes, *(points.labels if points else ())], default=0)
    figure = new_figure(theme, narrow={"legend.title.side": "top", "margin.t": 56})
    figure.add_trace(_regions(boundary, count, theme))
    if points:
        figure.add_traces([_class_points(points, label, theme) for label in sorted(set(points.labels))])
    x0, x1, y0, y1 = boundary.extent
    figure.update_layout(
        xaxis={"title": {"text": "Feature 1"}, "range": [x0, x1], "showgrid": False},
        yaxis={"title": {"text": "Feature 2"}, "range": [y0, y1], "showgrid": False},
        legend={"title": {"text": title or _whose(boundary, kept), "side": "left"}},
    )
    return figure


def shows_kept(boundary: Boundary, kept: Kept) -> bool:
    """Whether these regions are the kept network's: it says so, or it was drawn at the very step that was kept."""
    return boundary.kept or (kept.learned and boundary.step == kept.step)


def _whose(boundary: Boundary, kept: Kept | None) -> str:
    if kept and shows_kept(boundary, kept):
        return f"Kept: {escape(kept.title)}"
    return f"{method_title(boundary.series)}, step {boundary.step:,}"


def _regions(boundary: Boundary, count: int, theme: Theme) -> go.Heatmap:
    """The regions in one flat pale colour for each class, with sharp borders."""
    x0, x1, y0, y1 = boundary.extent
    size, colours = boundary.size, class_colours(theme)
    steps = [(k / count, colours[k % len(colours)]) for k in range(count)]
    scale = [pair for k, (low, hue) in enumerate(steps) for pair in ((low, hue), ((k + 1) / count, hue))]
    return go.Heatmap(
        z=np.array(boundary.classes, dtype=np.uint8).reshape(size, size),
        x=np.linspace(x0, x1, size),
        y=np.linspace(y0, y1, size),
        colorscale=scale,
        zmin=-0.5,
        zmax=count - 0.5,
        opacity=0.28,
        showscale=False,
        hoverinfo="skip",
        name="regions",
    )


def _class_points(points: Points, label: int, theme: Theme) -> go.Scatter:
    colours = class_colours(theme)
    chosen = [index for index, value in enumerate(points.labels) if value == label]
    return go.Scatter(
        x=[points.x[index] for index in chosen],
        y=[points.y[index] for index in chosen],
        name=f"class {label}",
        mode="markers",
        marker={
            "color": colours[label % len(colours)],
            "symbol": SYMBOLS[label % len(SYMBOLS)],
            "size": 7,
            "line": {"width": 1, "color": colour("background", theme)},
        },
        hovertemplate=f"class {label}<br>(%{{x:.2f}}, %{{y:.2f}})<extra></extra>",
    )
