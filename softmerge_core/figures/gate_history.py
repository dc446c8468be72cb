"""The figure of one gate's history: how likely it was open, and what loss and penalty moved of its log alpha."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go

from softmerge_core.figures.laying import lay, upright
from softmerge_core.figures.style import Theme, colour, method_style, new_figure

_HIGH, _LOW = (0.58, 1.0), (0.0, 0.42)  # where the two axes lie, of the picture's height


def gate_history_figure(history: Mapping[str, Any], part: str, source: int, *, theme: Theme) -> go.Figure:
    """P(open) (0-1) of one gate over the steps, and below it how far loss and penalty have moved log alpha until then.

    ``history`` is what ``explain_gates`` tells. A line marks the step at which the gate closed for good.
    """
    course, close = history["parts"][part]["course"], history["parts"][part]["close"]
    figure, steps = new_figure(theme), history["steps"]
    curves = [
        ("open", "P(open)", "soft", "y", "%{y:.3f}"),
        ("moved_task", "moved by the loss", "task", "y2", "%{y:+.3f}"),
        ("moved_price", "moved by the penalty", "penalty", "y2", "%{y:+.3f}"),
    ]
    for key, name, look, axis, number in curves:
        style = method_style(look, theme)
        figure.add_trace(
            go.Scatter(
                x=steps, y=[row[source] for row in course[key]], name=name, mode="lines", yaxis=axis,
                line={"color": style.color, "dash": style.dash, "width": 2},
                hovertemplate=f"step %{{x}}<br>{number}",
            )
        )  # fmt: skip
    closed = int(close["step"][source])
    if closed > steps[0]:
        line = {"color": colour("quiet", theme), "width": 1, "dash": "dash"}
        lay(figure, shapes=[upright(closed, line, name="closed")])
    figure.update_layout(
        xaxis={"title": {"text": "Step"}, "range": [steps[0], max(steps[-1], steps[0] + 1)], "anchor": "y2"},
        yaxis={"title": {"text": "P(open)"}, "range": [0, 1.02], "domain": _HIGH},
        yaxis2={"title": {"text": "log α moved"}, "domain": _LOW, "anchor": "x"},
        margin={"t": 56},
    )
    return figure
