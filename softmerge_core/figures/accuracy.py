"""Validation accuracy of the soft merge as it trains, against baselines that need no training."""

from collections.abc import Mapping, Sequence
from math import ceil, floor, isfinite
from typing import TypeGuard

import plotly.graph_objects as go

from softmerge_core.events import BEST, Evaluation, Event, Stage
from softmerge_core.experiments.merge.kept import Kept
from softmerge_core.figures.labels import EndLabel, by_stage, end_labels, joined, last_step, mark_stages
from softmerge_core.figures.style import Theme, escape, method_style, method_title, new_figure, thin

_BASELINES = ("ensemble", "average", BEST, "average_rescaled", f"{BEST}_rescaled")
_TOP, _BOTTOM = 16, 48
_ROOM = 2.6  # percentage points around all values: with more than 2.5, the range is never below 10 wide
_POINTS = 500  # points of one line: more could not be told apart, and take a browser long to draw
_CLEAR = 12  # px between the plot and its labels where a ring may lie at its end, which would cover half of it
_NARROW = 150  # px: the plot beside its labels on a phone
FAINT = 0.7  # the opacity with which a line still has a contrast of 3:1 with its background, in both themes
LOST = "Not kept"  # the name of the line of stages whose gates were not kept
INNER = 0.96  # where the ring on a level line lies, as a share of the width: clear of the label at its end


def accuracy_figure(
    events: Sequence[Event],
    *,
    theme: Theme,
    height: int = 320,
    kept: Kept | None = None,
) -> go.Figure | None:
    """Accuracy on the validation data (percent) over steps; None before the first evaluation.

    The soft merge is drawn as measured, never smoothed; the baselines are level lines, labelled at their end.
    Once a network was ``kept``, a ring marks it, the line and its label end there, and what was not kept is faint.
    ``height`` is that of the chart, in px.
    """
    seen = [event for event in events if _is_shown(event)]
    soft = [event for event in seen if event.series == "soft"]
    last = {event.series: 100 * event.accuracy for event in seen if event.series in _BASELINES}
    if not soft and not last:
        return None
    figure, end = new_figure(theme), last_step(events)
    level = 100 * kept.accuracy if kept and isfinite(kept.accuracy) else None
    values = [100 * event.accuracy for event in soft] + list(last.values())
    low, high = percent_range(values + ([] if level is None else [level]))
    figure.add_traces(_levels(last, end, theme))
    if soft:
        figure.add_traces(_soft(events, theme, kept))
    if soft and level is None:
        last["soft"] = 100 * soft[-1].accuracy
    labels = [_label(key, value, theme) for key, value in last.items() if level is None or key != _key(kept)]
    if kept and level is not None:
        figure.add_traces(_ring(kept, level, end, theme))
        labels.append(_kept_label(kept, level, theme))
    figure.update_layout(
        margin={"b": _BOTTOM},
        showlegend=False,
        xaxis={"title": {"text": "Step"}, "range": [0, end]},
        yaxis={"title": {"text": "Validation accuracy (%)"}, "range": [low, high]},
    )
    mark_stages(figure, events, theme, top=_TOP, narrow_plot=_NARROW, kept=kept)
    plot_height = height - figure.layout.margin.t - _BOTTOM
    end_labels(figure, labels, low=low, high=high, plot_height=plot_height, clear=_CLEAR if kept else 4)
    return figure


def _levels(last: Mapping[str, float], end: int, theme: Theme) -> list[go.Scatter]:
    """A level line for each baseline, at its percent in ``last``."""
    styles = {key: method_style(key, theme) for key in _BASELINES if key in last}
    return [
        _line(key, [0, end], [last[key]] * 2, {"color": style.color, "dash": style.dash, "width": 1.5})
        for key, style in styles.items()
    ]


def _key(kept: Kept | None) -> str:
    """The key of the method that the kept network is."""
    return "soft" if kept is None or kept.learned else kept.winner


def _ring(kept: Kept, level: float, end: int, theme: Theme) -> list[go.Scatter]:
    """A ring at the evaluation that was kept, and a line from it to its label at the right end."""
    color = method_style(_key(kept), theme).color
    at = kept.step if kept.step is not None else INNER * end
    hover = f"kept: {escape(kept.title)}<br>%{{y:.1f}}\u00a0%<extra></extra>"
    line = go.Scatter(
        x=[at, end], y=[level, level], mode="lines", name="Kept, to its label", line={"color": color, "width": 1},
        hoverinfo="skip",
    )  # fmt: skip
    ring = go.Scatter(
        x=[at], y=[level], mode="markers", name="Kept", hovertemplate=hover, cliponaxis=False,
        marker={"symbol": "circle-open", "size": 15, "color": color, "line": {"width": 3}},
    )  # fmt: skip
    return [line, ring]


def _kept_label(kept: Kept, level: float, theme: Theme) -> EndLabel:
    name = method_title(_key(kept))
    return EndLabel(
        level, f"◯ Kept: {name} {level:.1f}\u00a0%", f"◯ Kept {level:.1f}\u00a0%", method_style(_key(kept), theme).color
    )  # fmt: skip


def is_merge_line(trace: go.Scatter) -> bool:
    """Whether a trace of ``accuracy_figure`` is the soft merge's own line, kept or not."""
    return trace.name in (method_title("soft"), LOST)


def percent_range(values: Sequence[float]) -> tuple[float, float]:
    """Whole steps of 5 percent around ``values`` with room to read, within [0, 100] and at least 10 wide.

    More values may widen it, and never make it narrower, so that an axis only grows while a run is live.
    """
    low, high = 5 * floor((min(values) - _ROOM) / 5), 5 * ceil((max(values) + _ROOM) / 5)
    return float(min(max(low, 0), 90)), float(max(min(high, 101), 10))


def _line(key: str, x: Sequence[float | None], y: Sequence[float | None], line: dict[str, object]) -> go.Scatter:
    return go.Scatter(
        x=x, y=y, mode="lines", name=method_title(key), line=line, hovertemplate="%{y:.1f}\u00a0%",
    )  # fmt: skip


def _is_shown(event: Event) -> TypeGuard[Evaluation]:
    return isinstance(event, Evaluation) and event.split == "validation" and isfinite(event.accuracy)


def _soft(events: Sequence[Event], theme: Theme, kept: Kept | None) -> list[go.Scatter]:
    """One line per stage, for the gates start anew at each border and nothing lies between.

    Once a network was kept, there are two traces: the stages that were not, faint, and the one that was.
    """
    lost: list[list[Evaluation]] = []
    best: list[list[Evaluation]] = []
    for run in by_stage(events):
        won = kept is None or any(isinstance(event, Stage) and event.stage == kept.winner for event in run)
        (best if won else lost).append([event for event in run if _is_shown(event) and event.series == "soft"])
    thin_line = {"opacity": FAINT, "name": LOST, "line": {"width": 1.5}, "marker": {"size": 4}}
    faint = [_soft_line(lost, theme).update(thin_line)] if any(lost) else []
    return [*faint, *([_soft_line(best, theme)] if any(best) else [])]


def merge_line(runs: Sequence[Sequence[Evaluation]]) -> tuple[list[float | None], list[float | None]]:
    """Steps and percent of the evaluations of each stage, with gaps between stages; of very many, some left out."""
    most = max(2, _POINTS // max(len(runs), 1))
    shown = [[run[index] for index in thin(len(run), most)] for run in runs]
    return joined([[e.step for e in run] for run in shown]), joined([[100 * e.accuracy for e in run] for run in shown])


def _soft_line(runs: Sequence[Sequence[Evaluation]], theme: Theme) -> go.Scatter:
    style = method_style("soft", theme)
    trace = _line("soft", *merge_line(runs), {})
    trace.update(
        mode="lines+markers",
        line={"color": style.color, "width": 2.5},
        marker={"color": style.color, "symbol": style.marker, "size": 6},
        hovertemplate="step %{x}<br>%{y:.1f}\u00a0%",
    )
    return trace


def _label(key: str, value: float, theme: Theme) -> EndLabel:
    text, short = (f"{method_title(key, short=brief)} {value:.1f}\u00a0%" for brief in (False, True))
    return EndLabel(value, text, short, method_style(key, theme).color)
