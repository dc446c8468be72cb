"""The losses of a gate training: task loss, penalty and their sum, raw and smoothed."""

from collections.abc import Sequence

import plotly.graph_objects as go

from softmerge_core.events import Event, Loss
from softmerge_core.figures.labels import last_step, mark_stages
from softmerge_core.figures.style import Theme, method_style, new_figure, smooth, thin

_CURVES = {"task": "Task loss", "penalty": "Penalty", "total": "Their sum"}


def losses_figure(
    events: Sequence[Event], *, theme: Theme, series: str = "soft", weight: float = 0.9
) -> go.Figure | None:
    """The three losses (nats) over the steps of a run; None before the first.

    The lines are debiased exponential moving averages of ``weight``, which the legend states; the raw values
    lie faint under them. Smoothing comes before thinning, so that thinning hides nothing from the average.
    """
    losses = [event for event in events if isinstance(event, Loss) and event.series == series]
    if not losses:
        return None
    figure = new_figure(theme, narrow={"legend.title.side": "top", "margin.t": 90})
    kept = thin(len(losses))
    steps = [losses[index].step for index in kept]
    for key, title in _CURVES.items():
        values = [float(getattr(loss, key)) for loss in losses]
        smoothed = smooth(values, weight)
        style = method_style(key, theme)
        raw, line = [values[index] for index in kept], [smoothed[index] for index in kept]
        figure.add_trace(_curve(steps, raw, f"{title}, raw", style.color, "solid", faint=True))
        figure.add_trace(_curve(steps, line, title, style.color, style.dash, faint=False))
    _dress(figure, events, weight)
    mark_stages(figure, events, theme)
    return figure


def _curve(x: list[int], y: list[float], name: str, color: str, dash: str, *, faint: bool) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, name=name, mode="lines", legendgroup=name.removesuffix(", raw"), showlegend=not faint,
        opacity=0.3 if faint else 1, line={"color": color, "dash": dash, "width": 1 if faint else 2},
        hoverinfo="skip" if faint else None, hovertemplate=None if faint else "step %{x}<br>%{y:.4f} nats",
    )  # fmt: skip


def _dress(figure: go.Figure, events: Sequence[Event], weight: float) -> None:
    note = f"Smoothed (EMA {weight:g}), raw faint:" if weight else "Not smoothed:"
    figure.update_layout(
        margin={"t": 68},
        legend={"title": {"text": note, "side": "left"}, "yref": "container", "y": 1, "yanchor": "top"},
        xaxis={"title": {"text": "Step"}, "range": [0, last_step(events)]},
        yaxis={"title": {"text": "Loss (nats)"}, "rangemode": "tozero"},
    )
