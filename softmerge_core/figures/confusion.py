"""Confusion matrices: which class a network takes for which, and where it differs from another network."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go

from softmerge_core.figures.federated import RAMP
from softmerge_core.figures.laying import lay
from softmerge_core.figures.style import Theme, colour, distinct, new_figure
from softmerge_core.numbers import MINUS

MOST_CLASSES = 100  # more could not be told apart
ROW, LEAST, TALLEST = 15, 320, 620  # px a class, and of the whole figure
NAMED = 12  # classes whose names fit below the columns
WRITTEN = 12  # classes of a matrix in which the numbers are written
BAR = {"orientation": "h", "x": 0.5, "y": 1.01, "yanchor": "bottom", "thickness": 10, "outlinewidth": 0, "nticks": 5}
_EDGES = {"cividis": "#fefefe", "RdBu": "#010101"}  # lines that are seen on a scale's colour of 0, in both themes
Groups = Sequence[tuple[str, int]]


def confusion_height(classes: int) -> int:
    """The height in px that gives each class a row."""
    return min(TALLEST, max(LEAST, 140 + ROW * classes))


def row_shares(counts: np.ndarray) -> np.ndarray:
    """The shares (0-1) of each row of ``counts``; NaN in a row without samples."""
    with np.errstate(invalid="ignore"):
        return np.asarray(counts / counts.sum(1, keepdims=True))


def confusion_figure(
    counts: np.ndarray, classes: Sequence[str], groups: Groups = (), *, theme: Theme, shares: bool = True
) -> go.Figure | None:
    """Rows are true classes, columns answers: the share of the row (0-1, in cividis) or the number of samples (in grey,
    up to the largest class). A class without samples stays empty. None of too many classes.
    """
    if len(counts) > MOST_CLASSES:
        return None
    scale: Any
    if shares:
        scale, title, top, number = "cividis", "Share of the class", 1.0, ".2f"
    else:
        ramp, top = RAMP[theme], float(max(1, counts.sum(1).max()))
        scale = [[place / (len(ramp) - 1), tone] for place, tone in enumerate(ramp)]
        title, number = "Samples", "d"
    shown = row_shares(counts) if shares else counts
    cells = _cells(shown)
    about = f"{{z:{number}}} of the class" if shares else "{z} samples"
    return _matrix(cells, classes, groups, theme, title, f"%{about}", (0.0, top), scale, number)


def difference_figure(
    counts: np.ndarray,
    other: np.ndarray,
    classes: Sequence[str],
    groups: Groups = (),
    *,
    theme: Theme,
    shares: bool = True,
) -> go.Figure | None:
    """The same, ``counts`` less ``other``: shares from -1 to 1, samples as far as the largest class; blue is more."""
    if len(counts) > MOST_CLASSES:
        return None
    top = 1.0 if shares else float(max(1, counts.sum(1).max()))
    gap = row_shares(counts) - row_shares(other) if shares else counts - other
    cells = _cells(gap)
    title, number = ("Difference of shares", "+.2f") if shares else ("Difference, samples", "+d")
    return _matrix(cells, classes, groups, theme, title, f"%{{z:{number}}}", (-top, top), "RdBu", number)


def _cells(values: np.ndarray) -> list[list[float | None]]:
    return [[round(float(value), 4) if np.isfinite(value) else None for value in row] for row in values]


def _matrix(
    cells: list[list[float | None]],
    classes: Sequence[str],
    groups: Groups,
    theme: Theme,
    title: str,
    about: str,
    ends: tuple[float, float],
    scale: Any,
    number: str,
) -> go.Figure:
    names = distinct(list(classes), 20)
    few = len(names) <= WRITTEN
    figure = new_figure(theme, narrow={"yaxis.title.text": ""})
    figure.add_heatmap(
        z=cells, x=names, y=names, coloraxis="coloraxis", name=title, xgap=1 if few else 0.5, ygap=1 if few else 0.5,
        hoverongaps=False, text=_written(cells, number) if few else None, texttemplate="%{text}" if few else None,
        textfont={"size": 10}, hovertemplate=f"True class %{{y}}, answer %{{x}}<br>{about}<extra></extra>",
    )  # fmt: skip
    size = 11 if len(names) <= 30 else 9
    figure.update_layout(
        margin={"l": 100, "t": 8, "b": 56, "r": 8},
        coloraxis={
            "cmin": ends[0], "cmax": ends[1], "cauto": False, "colorscale": scale,
            "colorbar": {**BAR, "title": {"text": title, "side": "top"}},
        },
        xaxis={"title": {"text": "Answer"}, "showgrid": False, "type": "category", **_columns(names, groups)},
        yaxis={
            "title": {"text": "True class"}, "showgrid": False, "type": "category", "autorange": "reversed",
            "tickfont": {"size": size}, "dtick": 1 if len(names) <= 40 else None,
        },
    )  # fmt: skip
    _add_groups(figure, groups, len(names), _EDGES.get(str(scale), colour("text", theme)))
    return figure


def _written(cells: list[list[float | None]], number: str) -> list[list[str]]:
    """The numbers of cells, without those that would read 0."""
    shown = [[("" if value is None else f"{value:{number.replace('d', '.0f')}}") for value in row] for row in cells]
    return [[text.replace("-", MINUS) if text.strip("+-.0") else "" for text in row] for row in shown]


def _columns(names: Sequence[str], groups: Groups) -> dict[str, Any]:
    """What stands below the columns: names where they fit, else the groups' names in their middles."""
    if len(names) <= NAMED or not _whole(groups, len(names)):
        return {"tickangle": -45 if max(map(len, names)) > 2 else 0, "tickfont": {"size": 11}}
    starts = np.cumsum([0, *(size for _, size in groups)])
    middles = [(start + end - 1) // 2 for start, end in pairwise(starts.tolist())]
    return {
        "tickmode": "array", "tickvals": [names[place] for place in middles],
        "ticktext": [title for title, _ in groups], "tickangle": 0,
    }  # fmt: skip


def _add_groups(figure: go.Figure, groups: Groups, classes: int, color: str) -> None:
    """Lines between groups of classes, of the ``color`` that is seen on cells of 0."""
    if not _whole(groups, classes):
        return
    line, ends = {"color": color, "width": 1.5}, (-0.5, classes - 0.5)
    shapes = [
        {"type": "line", f"{along}0": edge - 0.5, f"{along}1": edge - 0.5, f"{across}0": ends[0], f"{across}1": ends[1]}
        for edge in np.cumsum([size for _, size in groups])[:-1].tolist()
        for along, across in ("xy", "yx")
    ]
    lay(figure, shapes=[{**shape, "line": line} for shape in shapes])


def _whole(groups: Groups, classes: int) -> bool:
    return bool(groups) and sum(size for _, size in groups) == classes
