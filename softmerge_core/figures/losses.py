"""The figure of the losses of gate training: task loss, penalty and their sum, raw and smoothed."""

from collections.abc import Sequence
from math import isfinite, log10
from statistics import median
from typing import Any

import plotly.graph_objects as go

from softmerge_core.events import Event, Loss
from softmerge_core.experiments.merge.kept import Kept
from softmerge_core.figures.labels import by_stage, joined, last_step, mark_stages
from softmerge_core.figures.laying import lay, upright
from softmerge_core.figures.style import Theme, colour, method_style, new_figure, smooth, thin

_POINTS = 300  # points of one curve
FAR = 50  # times the median: a smoothed sum beyond it makes the axis logarithmic
_CURVES = {"task": "Task loss", "penalty": "Penalty", "total": "Their sum"}


def losses_figure(
    events: Sequence[Event], *, theme: Theme, series: str = "soft", weight: float = 0.9, kept: Kept | None = None
) -> go.Figure | None:
    """The three losses (nats) over the steps of a run; None before the first loss.

    The lines are debiased exponential moving averages with the given ``weight``, which the legend states; raw values
    are drawn faintly under them. Each stage is smoothed by itself, and before thinning, so every value counts.
    The axis is logarithmic where the largest sum is far above the usual ones. Once gates were ``kept``, their stage
    has a band, and a line at their step.
    """
    runs = [[e for e in run if isinstance(e, Loss) and e.series == series] for run in by_stage(events)]
    runs = [run for run in runs if run]
    if not runs:
        return None
    figure = new_figure(theme, narrow={"legend.title.side": "top"})
    most = max(2, _POINTS // len(runs))
    shown = [thin(len(run), most) for run in runs]
    steps = joined([[run[index].step for index in indices] for run, indices in zip(runs, shown, strict=True)])
    sums: list[float] = []
    for key, title in _CURVES.items():
        values = [[float(getattr(loss, key)) for loss in run] for run in runs]
        style = method_style(key, theme)
        smoothed = [smooth(run, weight) for run in values]
        figure.add_trace(_curve(steps, _thinned(values, shown), f"{title}, raw", style.color, "solid", faint=True))
        figure.add_trace(_curve(steps, _thinned(smoothed, shown), title, style.color, style.dash, faint=False))
        sums = [value for run in smoothed for value in run if isfinite(value)]
    _dress(figure, events, weight, sums)
    if kept and kept.step is not None:
        line = {"color": colour("soft", theme), "width": 1.5, "dash": "dot"}
        lay(figure, shapes=[upright(kept.step, line, name="kept step")])
    mark_stages(figure, events, theme, top=40, narrow_top=42, kept=kept)
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


def _dress(figure: go.Figure, events: Sequence[Event], weight: float, sums: Sequence[float]) -> None:
    note = f"Smoothed (EMA {weight:g}), raw faint:" if weight else "Not smoothed:"
    axis: dict[str, Any] = {"title": {"text": "Loss (nats)"}, "rangemode": "tozero"}
    if _needs_log(sums):
        low, high = log10(min(value for value in sums if value > 0)) - 2, log10(max(sums)) + 0.3
        axis = {"title": {"text": "Loss (nats), log axis"}, "type": "log", "range": [low, high]}
        axis |= {"dtick": max(1, round((high - low) / 5)), "exponentformat": "power"}
        figure.update_traces(hovertemplate="step %{x}<br>%{y:.4~g} nats", selector={"hoverinfo": None})
    figure.update_layout(
        legend={"title": {"text": note, "side": "left"}, "yref": "container", "y": 1, "yanchor": "top"},
        xaxis={"title": {"text": "Step"}, "range": [0, last_step(events)]},
        yaxis=axis,
    )


def _needs_log(sums: Sequence[float]) -> bool:
    """Whether a linear axis would press everything but its peaks, such as a poisoned source's, onto the zero line."""
    return bool(sums) and max(sums) > FAR * median(sums) > 0
