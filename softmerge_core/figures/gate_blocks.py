"""The cells of a figure of gates whose rows stand for many gates each: blocks of layers, and layers of channels."""

from collections.abc import Sequence

import plotly.graph_objects as go

from softmerge_core.experiments.merge.rows import GateRows
from softmerge_core.experiments.merge.words import deep_text

CLOSED, OPEN = "○", "●"
_LINE = 14  # px: the height that a line of text needs
_LETTERS = 7  # that fit into a cell on a phone


def deep_cells(rows: list[str], columns: list[str], table: GateRows, *, probable: bool) -> go.Heatmap:
    """The cells of ``table``, coloured by the mean of P(open), or of z where it is not the ``probable``."""
    sources = range(len(columns))
    return go.Heatmap(
        z=[[round(cell, 3) for cell in line] for line in (table.probability if probable else table.value)],
        x=columns,
        y=rows,
        customdata=[[deep_text(table, row, source) for source in sources] for row in range(len(rows))],
        hovertemplate="%{y}<br>%{x}<br>%{customdata}<extra></extra>",
        coloraxis="coloraxis",
        xgap=1,
        ygap=1 if len(rows) <= 60 else 0,
        name="gates",
    )


def exact_texts(table: GateRows, height: float) -> list[list[str]]:
    """What is written into each cell of rows of this ``height`` (px): how many gates are exactly 0 and exactly 1."""
    return [
        [_exact(closed, opened, size, height) for closed, opened in zip(*pair, strict=True)]
        for size, *pair in zip(table.sizes, table.closed, table.opened, strict=True)
    ]


def _exact(closed: int, opened: int, size: int, height: float) -> str:
    if height < _LINE:
        return ""
    if size in (closed, opened):
        return CLOSED if closed == size else OPEN
    texts = [f"{mark} {_short(count)}" for mark, count in ((CLOSED, closed), (OPEN, opened)) if count]
    if height >= 2 * _LINE:
        return "<br>".join(texts)
    line = " ".join(text.replace(" ", "") for text in texts)
    return line if len(line) <= _LETTERS else max(texts, key=len)


def _short(count: int) -> str:
    return str(count) if count < 1000 else f"{count / 1000:.0f}k" if count >= 9950 else f"{count / 1000:.1f}k"


def deep_notes(table: GateRows) -> Sequence[str]:
    """What the text in cells and their colours mean, in lines that fit a phone."""
    return (
        f"{CLOSED} 12  {OPEN} 3: so many gates closed, and fully open",
        "Colour: mean chance that a gate is open in a draw",
        "Click a row to open or close it",
    )
