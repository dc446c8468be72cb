"""Validation accuracy of the soft merge as it trains, against what needs no training."""

from collections.abc import Sequence
from math import ceil, floor, isfinite

import plotly.graph_objects as go

from softmerge_core.events import Evaluation, Event
from softmerge_core.figures.labels import EndLabel, end_labels, last_step, mark_stages
from softmerge_core.figures.style import Theme, method_style, method_title, new_figure

_BASELINES = ("ensemble", "average", "best_source")
_TOP, _BOTTOM = 40, 48


def accuracy_figure(events: Sequence[Event], *, theme: Theme, height: int = 320) -> go.Figure | None:
    """Accuracy on the validation data (percent) over steps; None before the first evaluation.

    The soft merge is drawn as measured, never smoothed; baselines as lines labelled at their end.
    """
    seen = [e for e in events if isinstance(e, Evaluation) and e.split == "validation" and isfinite(e.accuracy)]
    soft = [event for event in seen if event.series == "soft"]
    last = {event.series: 100 * event.accuracy for event in seen if event.series in _BASELINES}
    if not soft and not last:
        return None
    figure, end = new_figure(theme), last_step(events)
    values = [100 * event.accuracy for event in soft] + list(last.values())
    low, high = percent_range(values)
    for key in (key for key in _BASELINES if key in last):
        style = method_style(key, theme)
        line = {"color": style.color, "dash": style.dash, "width": 1.5}
        figure.add_trace(_line(key, [0, end], [last[key]] * 2, line))
    if soft:
        figure.add_trace(_soft(soft, theme))
        last["soft"] = 100 * soft[-1].accuracy
    figure.update_layout(
        margin={"t": _TOP, "b": _BOTTOM},
        showlegend=False,
        xaxis={"title": {"text": "Step"}, "range": [0, end]},
        yaxis={"title": {"text": "Validation accuracy (%)"}, "range": [low, high]},
    )
    labels = [_label(key, value, theme) for key, value in last.items()]
    end_labels(figure, labels, low=low, high=high, plot_height=height - _TOP - _BOTTOM)
    mark_stages(figure, events, theme)
    return figure


def percent_range(values: Sequence[float]) -> tuple[float, float]:
    """Whole steps of 5 percent around ``values`` with room to read, within [0, 100] and at least 10 wide."""
    low, high = max(5 * floor((min(values) - 1) / 5), 0), min(5 * ceil((max(values) + 1) / 5), 101)
    if high - low < 10:
        low, high = max(low - 5, 0), min(high + 5, 101)
    return float(low), float(high)


def _line(key: str, x: list[int], y: list[float], line: dict[str, object]) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, mode="lines", name=method_title(key), line=line, hovertemplate="%{y:.1f} %",
    )  # fmt: skip


def _soft(soft: Sequence[Evaluation], theme: Theme) -> go.Scatter:
    style = method_style("soft", theme)
    trace = _line("soft", [event.step for event in soft], [100 * event.accuracy for event in soft], {})
    trace.update(
        mode="lines+markers",
        line={"color": style.color, "width": 2.5},
        marker={"color": style.color, "symbol": style.marker, "size": 6},
        hovertemplate="step %{x}<br>%{y:.1f} %",
    )
    return trace


def _label(key: str, value: float, theme: Theme) -> EndLabel:
    text, short = (f"{method_title(key, short=brief)} {value:.1f} %" for brief in (False, True))
    return EndLabel(value, text, short, method_style(key, theme).color)
