"""The figure of gates that are forced by hand: the gates as they are now, with a mark in each cell that is forced."""

import plotly.graph_objects as go

from softmerge_core.experiments.merge.by_hand import HandRows
from softmerge_core.figures.gates import rows_picture
from softmerge_core.figures.style import Theme, distinct

NAME = "forced"
_WIDEST, _LOWEST = 22, 3  # px


def by_hand_figure(rows: HandRows, sources: tuple[str, ...], *, theme: Theme, height: int) -> go.Figure:
    """Rows of gates as ``rows_picture`` draws them; a bar in the middle of a cell: forced, a dot: some of it is.

    Bars are white with a black edge, so that they are seen on every colour of the scale.
    """
    figure = rows_picture(rows.table, sources, theme=theme, show="probability", height=height)
    names, columns = distinct(rows.table.titles, 60), distinct(sources, 24)
    cells = [(y, x, mark) for y, line in enumerate(rows.forced) for x, mark in enumerate(line) if mark]
    row = (height - 100) / max(len(names), 1)
    thick = max(_LOWEST, min(8, round(row / 3)))
    for mark, symbol in (("all", "line-ew"), ("some", "circle")):
        found = [(names[y], columns[x]) for y, x, kind in cells if kind == mark]
        for colour, more in (("#010101", 2), ("#fefefe", 0)):
            size, width = (_WIDEST, thick + more) if mark == "all" else (thick + more, 0)
            figure.add_trace(
                go.Scatter(
                    x=[column for _, column in found],
                    y=[name for name, _ in found],
                    mode="markers",
                    marker={"symbol": symbol, "size": size, "color": colour, "line": {"color": colour, "width": width}},
                    hoverinfo="skip",
                    showlegend=False,
                    name=NAME,
                )
            )
    return figure
