"""The figure of the losses of gate training: task loss, penalty and their sum, raw and smoothed."""

from collections.abc import Sequence

import plotly.graph_objects as go

from softmerge_core.events import Event, Loss
from softmerge_core.figures.labels import by_stage, joined, last_step, mark_stages
from softmerge_core.figures.style import Theme, method_style, new_figure, smooth, thin

_POINTS = 300  # points of one curve
_CURVES = {"task": "Task loss", "penalty": "Penalty", "total": "Their sum"}


def losses_figure(
    events: Sequence[Event], *, theme: Theme, series: str = "soft", weight: float = 0.9
) -> go.Figure | None:
    """The three losses (nats) over the steps of a run; None before the first loss.

    The lines are debiased exponential moving averages with the given ``weight``, which the legend states; raw values
    are drawn faintly under them. Each stage is smoothed by itself, and before thinning, so every value counts.
    """
    runs = [[e for e in run if isinstance(e, Loss) and e.series == series] for run in by_stage(events)]
    runs = [run for run in runs if run]
    if not runs:
        return None
    figure = new_figure(theme, narrow={"legend.title.side": "top"})
    most = max(2, _POINTS // len(runs))
    kept = [thin(len(run), most) for run in runs]
    steps = joined([[run[index].step for index in indices] for run, indices in zip(runs, kept, strict=True)])
    for key, title in _CURVES.items():
        values = [[float(getattr(loss, key)) for loss in run] for run in runs]
        style = method_style(key, theme)
        raw = _thinned(values, kept)
        line = _thinned([smooth(run, weight) for run in values], kept)
        figure.add_trace(_curve(steps, raw, f"{title}, raw", style.color, "solid", faint=True))
        figure.add_trace(_curve(steps, line, title, style.color, style.dash, faint=False))
    _dress(figure, events, weight)
    mark_stages(figure, events, theme, top=40, narrow_top=22)
    return figure


def _thinned(runs: list[list[float]], kept: list[list[int]]) -> list[float | None]:
    return joined([[run[index] for index in indices] for run, indices in zip(runs, kept, strict=True)])


def _curve(
    x: list[float | None], y: list[float | None], name: str, color: str, dash: str, *, faint: bool
) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, name=name, mode="lines", legendgroup=name.removesuffix(", raw"), showlegend=not faint,
        opacity=0.3 if faint else 1, line={"color": color, "dash": dash, "width": 1 if faint else 2},
        hoverinfo="skip" if faint else None, hovertemplate=None if faint else "step %{x}<br>%{y:.4f} nats",
    )  # fmt: skip


def _dress(figure: go.Figure, events: Sequence[Event], weight: float) -> None:
    note = f"Smoothed (EMA {weight:g}), raw faint:" if weight else "Not smoothed:"
    figure.update_layout(
        legend={"title": {"text": note, "side": "left"}, "yref": "container", "y": 1, "yanchor": "top"},
        xaxis={"title": {"text": "Step"}, "range": [0, last_step(events)]},
        yaxis={"title": {"text": "Loss (nats)"}, "rangemode": "tozero"},
    )
