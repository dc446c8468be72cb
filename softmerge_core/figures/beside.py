"""Figures of several merges beside each other: their accuracies over the steps, and where their gates differ."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from softmerge_core.events import Evaluation, Event
from softmerge_core.experiments.merge.rows import blocks
from softmerge_core.experiments.words import letter
from softmerge_core.figures.accuracy import merge_line, percent_range
from softmerge_core.figures.labels import EndLabel, by_stage, end_labels, last_step
from softmerge_core.figures.style import DASHES, Theme, class_colours, distinct, new_figure, template

HEIGHT = 360  # px
ROW, LEAST, TALLEST = 22, 220, 640  # px: of a row of gates, and of their figure
_TOP, _BOTTOM = 16, 48  # px
_DIVERGING = "RdBu"


def curves_figure(runs: Sequence[Sequence[Event]], *, theme: Theme, height: int = HEIGHT) -> go.Figure | None:
    """Validation accuracy (percent) of the merged network over the steps, a line for each run: A, B, C, ...

    ``runs``: the events of each. None where no run has been evaluated.
    """
    lines = [_line(events) for events in runs]
    values = [value for _, ys in lines for value in ys if value is not None]
    if not values:
        return None
    figure, (low, high) = new_figure(theme), percent_range(values)
    labels = []
    for place, (xs, ys) in enumerate(lines):
        if xs:
            color = class_colours(theme)[place]
            style = {"color": color, "dash": DASHES[place % len(DASHES)], "width": 2}
            figure.add_scatter(x=xs, y=ys, mode="lines", name=letter(place), line=style, hovertemplate=_hover(place))
            labels.append(EndLabel(ys[-1] or 0.0, letter(place), letter(place), color))
    end = max(last_step(events) for events in runs if events)
    figure.update_layout(
        margin={"t": _TOP, "b": _BOTTOM},
        showlegend=False,
        xaxis={"title": {"text": "Step"}, "range": [0, end]},
        yaxis={"title": {"text": "Validation accuracy (%)"}, "range": [low, high]},
    )
    end_labels(figure, labels, low=low, high=high, plot_height=height - _TOP - _BOTTOM)
    return figure


def _hover(place: int) -> str:
    return f"{letter(place)}, step %{{x}}: %{{y:.1f}}\u00a0%<extra></extra>"


def _line(events: Sequence[Event]) -> tuple[list[float | None], list[float | None]]:
    """Steps and percent of the merged network, with gaps between stages."""
    return merge_line([[e for e in s if isinstance(e, Evaluation) and e.series == "soft"] for s in by_stage(events)])


def gates_height(results: Sequence[Mapping[str, Any] | None]) -> int:
    """The height in px that gives every layer of ``beside_gates`` its row."""
    layers = {name for result in results if result and result.get("gates") for name, _ in _layers(result["gates"])}
    return min(TALLEST, max(LEAST, 90 + ROW * len(layers)))


def beside_gates(results: Sequence[Mapping[str, Any] | None], *, theme: Theme) -> go.Figure | None:
    """The mean gate z (0-1) of each layer and source, a table for each run; of two runs also B minus A.

    None where fewer than two runs have gates of the same sources.
    """
    tables = [result["gates"] if result and result.get("gates") else None for result in results]
    known = [table for table in tables if table]
    if len(known) < 2 or any(table["sources"] != known[0]["sources"] for table in known):
        return None
    rows = list(dict.fromkeys(name for table in known for name, _ in _layers(table)))
    columns = distinct(known[0]["sources"], 16)
    grids = [_grid(table, rows, len(columns)) if table else None for table in tables]
    titles = [letter(place) for place in range(len(grids))]
    extra = len(grids) == 2 and all(grid is not None for grid in grids)
    figure = _dressed([*titles, "B − A"] if extra else titles, theme)
    for place, grid in enumerate(grids):
        if grid is not None:
            figure.add_trace(_cells(grid, rows, columns, titles[place], "coloraxis"), 1, place + 1)
    if extra and grids[0] is not None and grids[1] is not None:
        figure.add_trace(_cells(grids[1] - grids[0], rows, columns, "B − A", "coloraxis2"), 1, 3)
    figure.update_yaxes(autorange="reversed", showgrid=False, type="category", categoryarray=rows)
    figure.update_xaxes(showgrid=False, tickangle=-40)
    return figure


def _dressed(titles: Sequence[str], theme: Theme) -> go.Figure:
    figure = make_subplots(1, len(titles), subplot_titles=titles, shared_yaxes=True, horizontal_spacing=0.03)
    bar = {"thickness": 10, "len": 0.9, "outlinewidth": 0}
    figure.update_layout(
        template=template(theme),
        margin={"l": 12, "r": 8, "t": 32, "b": 56},
        coloraxis={"colorscale": "cividis", "cmin": 0, "cmax": 1, "colorbar": {**bar, "title": {"text": "z"}}},
    )
    if titles[-1] == "B − A":
        difference = {**bar, "title": {"text": "B − A"}, "x": 1.1}
        figure.update_layout(coloraxis2={"colorscale": _DIVERGING, "cmin": -1, "cmax": 1, "colorbar": difference})
    return figure


def _cells(grid: np.ndarray, rows: Sequence[str], columns: Sequence[str], name: str, axis: str) -> go.Heatmap:
    return go.Heatmap(
        z=np.round(grid, 3).tolist(), x=list(columns), y=list(rows), coloraxis=axis, name=name, xgap=1, ygap=1,
        hovertemplate=f"{name}<br>%{{y}}<br>%{{x}}: %{{z:.2f}}<extra></extra>",
    )  # fmt: skip


def _layers(gates: Mapping[str, Any]) -> list[tuple[str, np.ndarray]]:
    """The mean z of each source in each layer, or in the whole model where one gate covers it."""
    owners, values = gates.get("groups") or gates["parts"], np.asarray(gates["value"], dtype=float)
    return [(name, values[first : last + 1].mean(0)) for name, first, last in blocks(owners)]


def _grid(gates: Mapping[str, Any], rows: Sequence[str], sources: int) -> np.ndarray:
    """[rows, sources] of z; NaN where the run has no gates of that name."""
    found = dict(_layers(gates))
    return np.stack([found.get(name, np.full(sources, np.nan)) for name in rows])
