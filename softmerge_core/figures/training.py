"""The figure of a source's training: its loss above, its accuracy below, over the same steps."""

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from softmerge_core.events import Evaluation, Event, Loss
from softmerge_core.figures.labels import last_step
from softmerge_core.figures.style import Theme, colour, new_figure, smooth, thin

# split -> name, colour, dash, marker
_SPLITS = {
    "train": ("Training accuracy", "quiet", "dot", "square-open"),
    "validation": ("Validation accuracy", "text", "solid", "circle"),
}


def training_figure(events: Sequence[Event], *, theme: Theme, weight: float = 0.9) -> go.Figure | None:
    """The loss (raw and smoothed) and the measured accuracies of the newest network in ``events``, if there is one."""
    series = next((event.series for event in reversed(events) if isinstance(event, Loss | Evaluation)), None)
    if series is None:
        return None
    losses = [event for event in events if isinstance(event, Loss) and event.series == series]
    measured = [event for event in events if isinstance(event, Evaluation) and event.series == series]
    figure = _panels(theme, last_step(events))
    if losses:
        _add_loss(figure, [loss.step for loss in losses], [loss.task for loss in losses], theme, weight)
    for split in _SPLITS:
        points = [event for event in measured if event.split == split]
        if points:
            _add_accuracy(figure, split, [e.step for e in points], [100 * e.accuracy for e in points], theme)
    return figure


def _panels(theme: Theme, end: int) -> go.Figure:
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.08, figure=new_figure(theme))
    figure.update_xaxes(range=[0, end])
    figure.update_xaxes(title={"text": "Step"}, row=2)
    figure.update_yaxes(title={"text": "Loss (nats)"}, rangemode="tozero", row=1)
    figure.update_yaxes(title={"text": "Accuracy (%)"}, range=[0, 101], row=2)
    return figure


def _add_loss(figure: go.Figure, steps: list[int], values: Sequence[float], theme: Theme, weight: float) -> None:
    kept = thin(len(steps))
    x, hue = [steps[index] for index in kept], colour("task", theme)
    curves = [(f"Training loss, smoothed (EMA {weight:g})", smooth(values, weight), 2, 1.0)]
    if weight:
        curves.insert(0, ("Training loss, raw", list(values), 1, 0.3))
    else:
        curves = [("Training loss", list(values), 2, 1.0)]
    for name, curve, width, opacity in curves:
        figure.add_trace(
            go.Scatter(
                x=x, y=[curve[index] for index in kept], name=name, mode="lines", opacity=opacity,
                line={"color": hue, "width": width}, showlegend=opacity == 1,
                hovertemplate="step %{x}<br>%{y:.4f} nats<extra></extra>",
            ), row=1, col=1,
        )  # fmt: skip


def _add_accuracy(figure: go.Figure, split: str, steps: list[int], percent: list[float], theme: Theme) -> None:
    name, hue, dash, marker = _SPLITS[split]
    figure.add_trace(
        go.Scatter(
            x=steps, y=percent, name=name, mode="lines+markers",
            line={"color": colour(hue, theme), "dash": dash}, marker={"symbol": marker, "size": 5},
            hovertemplate="step %{x}<br>%{y:.1f}\u00a0%<extra></extra>",
        ), row=2, col=1,
    )  # fmt: skip
