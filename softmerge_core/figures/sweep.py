"""The figure of a sweep over one setting: a line with its intervals, its seeds and its baselines.

As in all figures of a sweep every mark carries the id of a run as ``customdata``, so that a click opens it.
"""

from collections.abc import Sequence
from math import log10
from typing import Any

import plotly.graph_objects as go

from softmerge_core.experiments.outcome import Measure
from softmerge_core.experiments.sweeping.table import Row, SweepTable
from softmerge_core.experiments.sweeping.varied import Value
from softmerge_core.figures.accuracy import percent_range
from softmerge_core.figures.labels import EndLabel, end_labels
from softmerge_core.figures.laying import lay
from softmerge_core.figures.style import Theme, colour, escape, method_style, method_title, new_figure
from softmerge_core.figures.sweep_marks import (
    BOTTOM,
    NOW,
    TOP,
    Shown,
    each,
    hover,
    in_lines,
    is_scale,
    logarithmic,
    main_colour,
    mean,
    measure_of,
    span,
    text_of,
    title_of,
    upper,
    values_in,
    written,
)
from softmerge_core.numbers import NO_BREAK

HEIGHT = 340  # px
FEW_SEEDS = 5  # below it every seed is drawn
LINE = 36  # letters of a title beside the axis
ROOM = 0.08  # of the height: above and below all barriers


def line_figure(table: SweepTable, shown: Shown, *, theme: Theme, height: int = HEIGHT) -> go.Figure | None:
    """The mean over seeds of what is ``shown`` over the one setting that varies, with 95 % intervals.

    Fewer than FEW_SEEDS seeds are drawn one by one. The main number has its baselines as level lines. None while no
    run is done.
    """
    rows = [row for row in table.rows if values_in(table, row, shown)]
    if not rows:
        return None
    figure, color, measure = new_figure(theme), main_colour(table, theme), measure_of(table, shown)
    places = [_place(table, row) for row in rows]
    means = [mean(table, row, shown) or 0.0 for row in rows]
    spans = [span(table, row, shown) for row in rows]
    if len(table.seeds) > 1 and len(table.seeds) < FEW_SEEDS:
        figure.add_trace(_seeds(table, rows, shown, theme))
    figure.add_scatter(
        x=places, y=means, mode="lines+markers", name="Mean", customdata=[row.runs[0] for row in rows],
        line={"color": color, "width": 2}, marker={"size": 9, "color": color},
        error_y={
            "type": "data", "symmetric": False, "color": color, "thickness": 1.5, "width": 4,
            "array": [high - value for (_, high), value in zip(spans, means, strict=True)],
            "arrayminus": [value - low for (low, _), value in zip(spans, means, strict=True)],
        },
        hovertemplate=[f"{hover(table, row)}<br>{written(measure, 'y')}<extra></extra>" for row in rows],
    )  # fmt: skip
    levels = {name: measure.scale * value for name, value in table.levels.items()} if shown == "main" else {}
    seen = [value for row in rows for value in values_in(table, row, shown)]
    low, high = _range([*(end for ends in spans for end in ends), *seen, *levels.values()], measure)
    _mark(figure, table, shown, theme)
    _dress(figure, table, in_lines(title_of(table, shown), LINE), (low, high))
    _add_levels(figure, levels, theme)
    if labels := [_label(name, value, measure, theme) for name, value in levels.items()]:
        end_labels(figure, labels, low=low, high=high, plot_height=height - TOP - BOTTOM)
    return figure


def _range(values: Sequence[float], measure: Measure) -> tuple[float, float]:
    """The ends of the axis: for accuracies as everywhere, for barriers with 0, where there is none."""
    if measure.accuracy:
        return percent_range(values)
    low, high = min(*values, 0.0), max(*values, 0.0)
    room = ROOM * ((high - low) or 1.0)
    return low - room, high + room


def _label(name: str, value: float, measure: Measure, theme: Theme) -> EndLabel:
    """What is written at the end of a level line; on a phone without a unit that is a word."""
    number = measure.text(value / measure.scale)
    brief = number if measure.accuracy else number.partition(NO_BREAK)[0]
    texts = f"{method_title(name)} {number}", f"{method_title(name, short=True)} {brief}"
    return EndLabel(value, *texts, method_style(name, theme).color)


def _add_levels(figure: go.Figure, levels: dict[str, float], theme: Theme) -> None:
    """A level line for each baseline over the whole width."""
    styles = {name: method_style(name, theme) for name in levels}
    lay(figure, shapes=[
        {
            "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": value, "y1": value, "layer": "below",
            "line": {"color": styles[name].color, "dash": styles[name].dash, "width": 1.5},
        }
        for name, value in levels.items()
    ])  # fmt: skip


def _seeds(table: SweepTable, rows: Sequence[Row], shown: Shown, theme: Theme) -> go.Scatter:
    """A small ring for each seed."""
    number = written(measure_of(table, shown), "y")
    told = [(row, k, value) for row in rows for k, value in enumerate(each(table, row, shown)) if value is not None]
    return go.Scatter(
        x=[_place(table, row) for row, _, _ in told], y=[value for _, _, value in told], mode="markers", name="Seeds",
        customdata=[row.runs[k] for row, k, _ in told],
        marker={"symbol": "circle-open", "size": 7, "color": colour("quiet", theme)},
        hovertemplate=[
            f"{hover(table, row)}, seed {table.seeds[k]}<br>{number}<extra></extra>" for row, k, _ in told
        ],
    )  # fmt: skip


def _mark(figure: go.Figure, table: SweepTable, shown: Shown, theme: Theme) -> None:
    """A ring around the best point, and a thin line where the settings are from which the sweep began."""
    best, base = table.best, table.base
    if best is not None and values_in(table, best, shown):
        figure.add_scatter(
            x=[_place(table, best)], y=[mean(table, best, shown)], mode="markers", name="Best", hoverinfo="skip",
            marker={"symbol": "circle-open", "size": 17, "color": colour("text", theme), "line": {"width": 2}},
            customdata=[best.runs[0]],
        )  # fmt: skip
    if base is not None:
        place: Any = _place(table, base)
        figure.add_shape(
            type="line", yref="paper", y0=0, y1=1, x0=place, x1=place, layer="below",
            line={"color": colour("quiet", theme), "width": 1, "dash": "dot"},
        )  # fmt: skip
        at = log10(place) if logarithmic(table, 0) else place
        figure.add_annotation(
            x=at, yref="paper", y=1, yanchor="bottom", text=NOW, showarrow=False,
            font={"color": colour("quiet", theme), "size": 12},
        )  # fmt: skip


def _dress(figure: go.Figure, table: SweepTable, title: str, ends: tuple[float, float]) -> None:
    axis: dict[str, Any] = {"title": {"text": escape(upper(table.names[0]))}}
    if logarithmic(table, 0):
        axis |= {"type": "log", "dtick": "D2" if _decades(table) < 2 else 1, "exponentformat": "power"}
    elif not is_scale(table, 0):
        axis |= {"type": "category", "categoryarray": [text_of(value) for value in table.values[0]]}
    figure.update_layout(
        margin={"t": TOP, "b": BOTTOM}, showlegend=False, xaxis=axis,
        yaxis={"title": {"text": title}, "range": list(ends)},
    )  # fmt: skip


def _decades(table: SweepTable) -> float:
    numbers = [float(value) for value in table.values[0]]
    return log10(max(numbers) / min(numbers))


def _place(table: SweepTable, row: Row) -> Value:
    """Where a point lies on the first axis."""
    return row.values[0] if is_scale(table, 0) else text_of(row.values[0])
