"""Figures of a sweep as maps: over two settings, and of accuracy against open gates with its Pareto front."""

import plotly.graph_objects as go

from softmerge_core.experiments.sweeping.table import SweepTable
from softmerge_core.figures.style import Theme, colour, escape, new_figure
from softmerge_core.figures.sweep_marks import (
    BEST,
    BOTTOM,
    NOW,
    TOP,
    Shown,
    hover,
    main_colour,
    mean,
    measure_of,
    text_of,
    title_of,
    upper,
    written,
)

WRITTEN = 60  # cells at most of a map in which the number is written


def map_figure(table: SweepTable, shown: Shown, *, theme: Theme) -> go.Figure | None:
    """The mean over seeds of what is ``shown`` as a map over two settings, the bright end the better one; None while no
    run is done.
    """
    columns, rows = table.values
    places = {row.values: row for row in table.rows}
    grid = [[places[column, row] for column in columns] for row in rows]
    means = [[mean(table, cell, shown) for cell in line] for line in grid]
    known = [value for line in means for value in line if value is not None]
    if not known:
        return None
    figure, measure = new_figure(theme), measure_of(table, shown)
    colours, number = "cividis_r" if measure.lower_is_better else "cividis", f".{measure.digits}f"
    xs, ys = [text_of(value) for value in columns], [text_of(value) for value in rows]
    few = len(columns) * len(rows) <= WRITTEN and len(columns) <= 10
    figure.add_heatmap(
        z=means, x=xs, y=ys, name=escape(title_of(table, shown), 80), colorscale=colours, xgap=1, ygap=1,
        texttemplate=f"%{{z:{number}}}" if few else None, customdata=[[cell.runs[0] for cell in line] for line in grid],
        colorbar={"thickness": 10, "len": 0.95, "outlinewidth": 0, "title": {"text": measure.unit}},
        hovertemplate=f"{escape(table.names[0])} %{{x}}<br>{escape(table.names[1])} %{{y}}<br>{written(measure, 'z')}"
        "<extra></extra>",
    )  # fmt: skip
    for row, label in ((table.base, NOW), (table.best, BEST)):
        if row is not None:
            _frame(figure, columns.index(row.values[0]), rows.index(row.values[1]), label, theme)
    figure.update_layout(
        margin={"t": TOP, "b": BOTTOM, "r": 24},
        xaxis={"title": {"text": escape(upper(table.names[0]))}, "type": "category", "showgrid": False},
        yaxis={"title": {"text": escape(upper(table.names[1]))}, "type": "category", "showgrid": False},
    )
    return figure


def _frame(figure: go.Figure, column: int, row: int, label: str, theme: Theme) -> None:
    """A frame around a cell: whole around the best, dotted around that of the settings there were."""
    dash = "dot" if label == NOW else "solid"
    for color, width in ((colour("background", theme), 5), (colour("text", theme), 2)):
        figure.add_shape(
            type="rect", x0=column - 0.46, x1=column + 0.46, y0=row - 0.46, y1=row + 0.46,
            line={"color": color, "width": width, "dash": dash if width == 2 else "solid"},
        )  # fmt: skip


def front_figure(table: SweepTable, *, theme: Theme) -> go.Figure | None:
    """Validation accuracy over the share of gates that are open, a mark a point, and the Pareto front as a line.

    None where runs have no gates, or none is done.
    """
    rows = [row for row in table.rows if row.open is not None and row.validation is not None]
    if not rows:
        return None
    figure, color = new_figure(theme), main_colour(table, theme)
    front = table.front
    figure.add_scatter(
        x=[100 * (row.open or 0) for row in front], y=[100 * (row.validation or 0) for row in front], mode="lines",
        name="Front", line={"color": color, "width": 2, "shape": "hv"}, hoverinfo="skip",
    )  # fmt: skip
    figure.add_scatter(
        x=[100 * (row.open or 0) for row in rows], y=[100 * (row.validation or 0) for row in rows], mode="markers",
        name="Points", customdata=[row.runs[0] for row in rows],
        marker={
            "size": [10 if row in front else 8 for row in rows],
            "color": [color if row in front else colour("quiet", theme) for row in rows],
            "symbol": ["circle" if row in front else "circle-open" for row in rows],
        },
        hovertemplate=[
            f"{hover(table, row)}<br>%{{y:.1f}}\u00a0% with %{{x:.1f}}\u00a0% of gates open<extra></extra>"
            for row in rows
        ],
    )  # fmt: skip
    for row, label, shift in ((table.base, NOW, -14), (table.best, BEST, 14)):
        if row in rows and row is not None:
            figure.add_annotation(
                x=100 * (row.open or 0), y=100 * (row.validation or 0), text=label, yshift=shift, showarrow=False,
                font={"size": 12, "color": colour("text", theme)},
            )  # fmt: skip
    figure.update_layout(
        margin={"t": 20, "b": BOTTOM}, showlegend=False,
        xaxis={"title": {"text": "Gates open (%)"}}, yaxis={"title": {"text": "Validation accuracy (%)"}},
    )  # fmt: skip
    return figure
