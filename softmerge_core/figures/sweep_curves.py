"""Small multiples of a sweep: how the accuracy of every run went, a small plot for each point, all on one scale."""

from collections.abc import Mapping, Sequence
from math import ceil

import plotly.graph_objects as go

from softmerge_core.experiments.sweeping.table import Row, SweepTable
from softmerge_core.experiments.sweeping.varied import value_text
from softmerge_core.figures.style import Theme, colour, escape, new_figure, thin
from softmerge_core.figures.sweep_marks import hover, main_colour

COLUMNS = 6  # plots beside each other
WRITTEN, BRIEF = 18, 7  # letters above a plot, and on a phone
MOST = 60  # plots: of more points the first ones are drawn
CELL, EDGE = 96, 28  # px: of a row of plots, and around all
DRAWN = 60  # points of a curve
_WIDE, _TALL = 0.86, 0.66  # of its cell: a plot
Curve = Sequence[tuple[int, float]]  # steps and accuracies (0-1)


def curves_height(table: SweepTable, columns: int = COLUMNS) -> int:
    """The height in px that gives every plot its row."""
    return EDGE + CELL * ceil(min(len(table.rows), MOST) / columns)


def curves_figure(
    table: SweepTable, curves: Mapping[str, Curve], *, theme: Theme, columns: int = COLUMNS
) -> go.Figure | None:
    """The accuracy of each run over its steps, those of one point in one small plot; None while there are none.

    ``curves``: of each run by its id. All plots have the same two axes, whose ends the figure's sentence tells.
    """
    rows = table.rows[:MOST]
    ends = curve_ends([curves[run] for row in rows for run in row.runs if curves.get(run)])
    if ends is None:
        return None
    figure = new_figure(theme)
    for place, row in enumerate(rows):
        across, down = place % columns, place // columns
        _frame(figure, across, down, table, row, theme)
        for seed, run in zip(table.seeds, row.runs, strict=True):
            if curve := curves.get(run):
                figure.add_trace(_line(table, row, run, seed, curve, (across, down), ends, theme))
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": 8, "b": 8}, showlegend=False,
        xaxis={"visible": False, "range": [-0.02, columns], "fixedrange": True},
        yaxis={"visible": False, "range": [-ceil(len(rows) / columns), 0.02], "fixedrange": True},
    )  # fmt: skip
    return figure


def curve_ends(curves: Sequence[Curve]) -> tuple[int, float, float] | None:
    """(last step, lowest and highest accuracy) of all curves; None without any."""
    values = [value for curve in curves for _, value in curve]
    if not values:
        return None
    return max(1, *(curve[-1][0] for curve in curves)), min(values), max(values)


def _frame(figure: go.Figure, across: int, down: int, table: SweepTable, row: Row, theme: Theme) -> None:
    """The border and the title of a plot; that of the best point is in the colour of its lines."""
    best, count = row is table.best, len(figure.layout.annotations)
    color = main_colour(table, theme) if best else colour("axis", theme)
    figure.add_shape(
        type="rect", x0=across, x1=across + _WIDE, y0=-down - 0.24 - _TALL, y1=-down - 0.24, layer="below",
        line={"color": color, "width": 2 if best else 1},
    )  # fmt: skip
    title = ", ".join(map(value_text, row.values)) + (" (best)" if best else " (now)" if row is table.base else "")
    figure.add_annotation(
        x=across, y=-down - 0.22, xanchor="left", yanchor="bottom", text=escape(title, WRITTEN), showarrow=False,
        font={"size": 12, "color": colour("text" if best else "quiet", theme)},
    )  # fmt: skip
    narrow = {**figure.layout.meta.get("narrow", {}), f"annotations.{count}.text": escape(title, BRIEF)}
    figure.update_layout(meta={**figure.layout.meta, "narrow": narrow})


def _line(
    table: SweepTable,
    row: Row,
    run: str,
    seed: int,
    curve: Curve,
    place: tuple[int, int],
    ends: tuple[int, float, float],
    theme: Theme,
) -> go.Scatter:
    """The curve of one run in its plot."""
    (across, down), (last, low, high) = place, ends
    points = [curve[k] for k in thin(len(curve), DRAWN)]
    color = main_colour(table, theme) if row is table.best else colour("quiet", theme)
    return go.Scatter(
        x=[across + _WIDE * step / last for step, _ in points],
        y=[-down - 0.24 - _TALL * (0.95 - 0.9 * (value - low) / ((high - low) or 1.0)) for _, value in points],
        mode="lines", line={"color": color, "width": 1.5}, name=f"{escape(table.text(row), 60)}, seed {seed}",
        customdata=[run] * len(points), text=[f"step {step:,}: {100 * value:.1f}\u00a0%" for step, value in points],
        hovertemplate=f"{hover(table, row)}, seed {seed}<br>%{{text}}<extra></extra>",
    )  # fmt: skip
