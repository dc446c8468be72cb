"""The figure of a sweep over three settings or more: a line for each point through parallel axes."""

from collections.abc import Callable, Sequence
from math import log10
from typing import Any

import plotly.graph_objects as go

from softmerge_core.experiments.outcome import Measure
from softmerge_core.experiments.sweeping.table import Row, SweepTable
from softmerge_core.figures.laying import lay
from softmerge_core.figures.style import Theme, colour, escape, new_figure
from softmerge_core.figures.sweep_marks import (
    Shown,
    hover,
    in_lines,
    is_scale,
    logarithmic,
    main_colour,
    mean,
    measure_of,
    text_of,
    title_of,
    upper,
)

LINE = 18  # letters of the title of a measure


def parallel_figure(table: SweepTable, *, theme: Theme) -> go.Figure | None:
    """A line for each point through an axis a setting, and one a measure; None while no run is done.

    The best point is thick, that of the settings there were dashed.
    """
    rows = [row for row in table.rows if row.known]
    if not rows:
        return None
    figure = new_figure(theme)
    measures: list[Shown] = ["main", *(["open"] if table.gated else [])]  # type: ignore[list-item]
    scales = [_setting_scale(table, k) for k in range(len(table.axes))]
    scales += [_measure_scale([mean(table, row, name) for row in rows], measure_of(table, name)) for name in measures]
    last = [row for row in (table.base, table.best) if row in rows]
    for row in [*(row for row in rows if row not in last), *last]:
        values: list[Any] = [*row.values, *(mean(table, row, name) for name in measures)]
        heights = [scale[0](value) for scale, value in zip(scales, values, strict=True)]
        figure.add_trace(_line(table, row, heights, measures, theme))
    _axes(figure, [ticks for _, ticks in scales], theme)
    titles = [escape(upper(name), 24).replace(" ", "<br>", 1) for name in table.names]
    titles += [in_lines(title_of(table, name), LINE) for name in measures]
    places, ends = [*range(len(titles))], [-0.15, len(titles) - 0.6]
    figure.update_layout(
        margin={"t": 16, "b": 64, "l": 24, "r": 64}, showlegend=False,
        xaxis={"tickvals": places, "ticktext": titles, "range": ends, "showgrid": False, "showline": False},
        yaxis={"visible": False, "range": [-0.06, 1.06]},
    )  # fmt: skip
    return figure


def _line(
    table: SweepTable, row: Row, heights: Sequence[float | None], measures: Sequence[Shown], theme: Theme
) -> go.Scatter:
    """The line of one point."""
    told = [_number(table, row, name) for name in measures]
    text = "<br>".join([hover(table, row), *told]) + "<extra></extra>"
    return go.Scatter(
        x=list(range(len(heights))), y=list(heights), mode="lines+markers", name=escape(table.text(row), 80),
        customdata=[row.runs[0]] * len(heights), hovertemplate=text,
        **_point_style(table, row, theme),
    )  # fmt: skip


def _number(table: SweepTable, row: Row, shown: Shown) -> str:
    measure = measure_of(table, shown)
    return f"{upper(measure.title)} {measure.text((mean(table, row, shown) or 0) / measure.scale)}"


def _axes(figure: go.Figure, scales: Sequence[Sequence[tuple[float, str]]], theme: Theme) -> None:
    """An upright line for each axis, with what is written beside it."""
    look = {
        "showarrow": False, "xanchor": "left", "xshift": 7, "font": {"size": 12, "color": colour("quiet", theme)},
        "bgcolor": colour("background", theme),
    }  # fmt: skip
    line = {"type": "line", "y0": 0, "y1": 1, "line": {"color": colour("axis", theme), "width": 1}}
    lay(
        figure,
        shapes=[{"x0": place, "x1": place, **line} for place in range(len(scales))],
        annotations=[
            {"x": place, "y": at, "text": escape(text, 16), **look}
            for place, ticks in enumerate(scales) for at, text in ticks
        ],
    )  # fmt: skip


Scale = tuple[Callable[[Any], float | None], list[tuple[float, str]]]  # to 0-1, and what is written beside the axis


def _setting_scale(table: SweepTable, place: int) -> Scale:
    """Numbers by their size, others one above the other."""
    values = list(table.values[place])
    if not is_scale(table, place) or len(values) == 1:
        spread = {value: k / max(1, len(values) - 1) for k, value in enumerate(values)}
        return lambda value: spread[value], [(at, text_of(value)) for value, at in spread.items()]
    turn = log10 if logarithmic(table, place) else float
    low, high = turn(float(values[0])), turn(float(values[-1]))

    def to(value: Any) -> float:
        return (turn(float(value)) - low) / (high - low)

    return to, [(to(value), text_of(value)) for value in (values if len(values) <= 6 else (values[0], values[-1]))]


def _measure_scale(values: Sequence[float | None], measure: Measure) -> Scale:
    """From the lowest to the highest value."""
    known = [value for value in values if value is not None]
    low, high = min(known), max(known)
    span = (high - low) or 1.0
    ends = [(at, measure.text(end / measure.scale)) for at, end in ((0.0, low), (1.0, high))[: 1 + (high > low)]]
    return lambda value: None if value is None else (value - low) / span, ends


def _point_style(table: SweepTable, row: Row, theme: Theme) -> dict[str, Any]:
    if row is table.best:
        color, line = main_colour(table, theme), {"width": 4, "dash": "solid"}
    elif row is table.base:
        color, line = colour("text", theme), {"width": 2, "dash": "dash"}
    else:
        color, line = colour("quiet", theme), {"width": 1, "dash": "solid"}
    return {"line": {**line, "color": color}, "marker": {"size": 5, "color": color}}
