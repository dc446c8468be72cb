"""How many labels: test accuracy of each method against the number of labelled samples."""

from collections.abc import Mapping, Sequence
from math import isfinite, log10
from typing import Any

import plotly.graph_objects as go

from softmerge_core.events import BEST, Score
from softmerge_core.experiments.compare.labels import Cell, curves, levels, tested
from softmerge_core.experiments.compare.spec import learns
from softmerge_core.experiments.words import percent
from softmerge_core.figures.accuracy import percent_range
from softmerge_core.figures.labels import EndLabel, end_labels
from softmerge_core.figures.rows import noted
from softmerge_core.figures.style import GLYPHS, Theme, method_style, method_title, new_figure
from softmerge_core.methods import available_methods
from softmerge_core.numbers import range_text
from softmerge_core.statistics import bar

TOP, BOTTOM = 16, 66  # px: the axis and the note below it
_LINE = 17  # px a label at the end of a line
_PLOT = 300  # px: the least height of the plot
_FEW = 5  # with fewer seeds than this each one is drawn
_FLAT = 3  # merges without labels that are drawn, the highest ones; references are drawn beside them
_SIDE = 0.016  # how far bars of one number of labels stand apart, as a share of the axis


def label_counts_height(methods: Sequence[str]) -> int:
    """The height in px that gives the line of each of ``methods`` that is drawn, and of the best source, its label."""
    lines = [key for key in methods if learns(key) or _always(key)]
    others = min(len(methods) - len(lines), _FLAT)
    return TOP + BOTTOM + max(_PLOT, _LINE * (len(lines) + others + 2))


def label_counts_figure(
    scores: Sequence[Score], *, theme: Theme, numbers: Sequence[int], height: int = TOP + BOTTOM + _PLOT
) -> go.Figure | None:
    """Test accuracy (percent) by the number of labelled samples (log axis), with 95 % intervals; None before any.

    ``numbers``: all that the run tries. Methods that look at no labels are level lines. With fewer than five seeds
    each one is drawn as a faint dot. ``height`` is that of the chart, in px.
    """
    lines, flat = curves(scores), _shown(levels(scores))
    if not any(key != BEST for key in lines):
        return None
    figure, reach, places = new_figure(theme), _reach(numbers), _places(list(lines), numbers)
    cells = [cell for line in lines.values() for cell in line.values()]
    low, high = percent_range(_values([*cells, *flat.values()]))
    ends = [_add_level(figure, key, cell, reach, theme) for key, cell in flat.items()]
    ends += [_add_curve(figure, key, line, places[key], theme) for key, line in lines.items()]
    bottom = _lay_out(
        figure,
        numbers,
        reach,
        (low, high),
        _note([cell for key in lines if key != BEST for cell in lines[key].values()]),
    )
    end_labels(figure, ends, low=low, high=high, plot_height=height - TOP - bottom)
    return figure


def is_curve(trace: go.Scatter) -> bool:
    """Whether a trace of ``label_counts_figure`` is a method's line, and neither its seeds nor a level line."""
    return str(trace.mode) == "lines+markers"


def _shown(found: Mapping[str, Cell]) -> dict[str, Cell]:
    """The level lines that are drawn: the plain average, references, and the highest of the others."""
    others = sorted((key for key in found if not _always(key)), key=lambda key: -tested(found[key]).mean)
    return {key: cell for key, cell in found.items() if _always(key) or key in others[:_FLAT]}


def _always(key: str) -> bool:
    """Whether a method without labels is drawn however good the others are."""
    return key == "average" or available_methods()[key].reference


def _values(cells: Sequence[Cell]) -> list[float]:
    """All values in percent that must lie on the axis; the long bar of two seeds would make it jump."""
    bars = [found for cell in cells if (found := bar(tested(cell))) and found.seeds != 2]
    values = [one.accuracy for cell in cells for one in cell]
    return [100 * value for value in [*values, *(end for found in bars for end in found[:2])] if isfinite(value)]


def _reach(numbers: Sequence[int]) -> tuple[float, float]:
    """The ends of the axis, as powers of ten."""
    low, high = log10(min(numbers)), log10(max(numbers))
    room = max(0.06 * (high - low), 0.1)
    return low - room, high + room


def _places(keys: Sequence[str], numbers: Sequence[int]) -> dict[str, dict[int, float]]:
    """Where each method's points stand on the axis: side by side, so that no bar hides another."""
    low, high = _reach(numbers)
    side = _SIDE * (high - low)
    return {
        key: {n: n * 10 ** (side * (place - (len(keys) - 1) / 2)) for n in numbers} for place, key in enumerate(keys)
    }


def _add_level(figure: go.Figure, key: str, cell: Cell, reach: tuple[float, float], theme: Theme) -> EndLabel:
    """A line across the picture for a method that looks at no labels."""
    style, y = method_style(key, theme), 100 * tested(cell).mean
    figure.add_scatter(
        x=[10**end for end in reach], y=[y, y], name=method_title(key), mode="lines",
        line={"color": style.color, "dash": style.dash, "width": 1.25},
        hovertemplate=f"{method_title(key)}, no labels: %{{y:.1f}}\u00a0%<extra></extra>",
    )  # fmt: skip
    return EndLabel(y, f"┈ {method_title(key, short=True)}", f"┈ {method_title(key, short=True)}", style.color)


def _add_curve(
    figure: go.Figure, key: str, line: Mapping[int, Cell], places: Mapping[int, float], theme: Theme
) -> EndLabel:
    """A method's line with its bars and, where there are few, each seed; returns the label at its end."""
    style, name, first = method_style(key, theme), method_title(key), key == "soft"
    y = {n: 100 * tested(cell).mean for n, cell in line.items()}
    _add_seeds(figure, key, line, places, theme)
    figure.add_scatter(
        x=[places[n] for n in line], y=list(y.values()), name=name, mode="lines+markers",
        line={"color": style.color, "dash": style.dash, "width": 2.5 if first else 1.75},
        marker={"color": style.color, "symbol": style.marker, "size": 9 if first else 8},
        cliponaxis=False, customdata=[[f"{n:,} labels", _interval(cell)] for n, cell in line.items()],
        error_y=_error(line, style.color),
        hovertemplate=f"{name}<br>%{{customdata[0]}}: %{{y:.1f}}\u00a0%%{{customdata[1]}}<extra></extra>",
    )  # fmt: skip
    label = f"{GLYPHS.get(style.marker, '●')} {method_title(key, short=True)}"
    return EndLabel(y[max(y)], label, label, style.color)


def _add_seeds(
    figure: go.Figure, key: str, line: Mapping[int, Cell], places: Mapping[int, float], theme: Theme
) -> None:
    """Each seed as a faint dot, where there are few of them."""
    found = [(places[n], n, one) for n, cell in line.items() if 1 < len(cell) < _FEW for one in cell]
    if not found:
        return
    color = method_style(key, theme).color
    figure.add_scatter(
        x=[x for x, _, _ in found], y=[100 * one.accuracy for _, _, one in found], mode="markers",
        name=f"{method_title(key)}, each seed", opacity=0.55, cliponaxis=False,
        marker={"symbol": "circle-open", "size": 5, "color": color, "line": {"width": 1}},
        customdata=[f"{n:,} labels" for _, n, _ in found],
        hovertemplate=f"{method_title(key)}, one seed<br>%{{customdata}}: %{{y:.1f}}\u00a0%<extra></extra>",
    )  # fmt: skip


def _error(line: Mapping[int, Cell], color: str) -> dict[str, Any]:
    """The 95 % intervals of a line, in points above and below it."""
    found = [(100 * tested(cell).mean, bar(tested(cell))) for cell in line.values()]
    return {
        "type": "data", "symmetric": False, "visible": any(each for _, each in found), "color": color,
        "thickness": 1, "width": 3,
        "array": [100 * each.high - y if each else 0.0 for y, each in found],
        "arrayminus": [y - 100 * each.low if each else 0.0 for y, each in found],
    }  # fmt: skip


def _interval(cell: Cell) -> str:
    """A bar in words, for the pointer."""
    found = bar(tested(cell))
    if found is None:
        return ""
    return f"<br>95\u00a0% interval: {range_text(percent(found.low), percent(found.high))}"


def _note(cells: Sequence[Cell]) -> str:
    """The meaning of the bars."""
    found = [each for cell in cells if (each := bar(tested(cell)))]
    if not found:
        return ""
    samples, seeds = max(each.samples for each in found), max(each.seeds for each in found)
    parts = [f"{samples:,} test samples"] if samples else []
    parts += [f"{seeds} seeds"] if seeds > 1 else []
    return f"Bars: 95\u00a0% interval, {' and '.join(parts)}"


def _lay_out(
    figure: go.Figure,
    numbers: Sequence[int],
    reach: tuple[float, float],
    limits: tuple[float, float],
    note: str,
) -> int:
    """Lay out the axes; returns the height (px) of what is below the plot on a phone, where notes are longer."""
    wide, narrow = noted("Labelled samples (log scale)", note)
    beneath = _LINE * max(narrow.count("<br>") - wide.count("<br>"), 0)
    ticks = {"tickvals": list(numbers), "ticktext": [f"{n:,}" for n in numbers], "tickangle": 0, "minor": {"ticks": ""}}
    figure.update_layout(
        showlegend=False,
        margin={"t": TOP, "b": BOTTOM},
        meta={**figure.layout.meta, "narrow": {"xaxis.title.text": narrow, "margin.b": BOTTOM + beneath}},
        xaxis={"title": {"text": wide}, "type": "log", "range": list(reach), "showgrid": True, **ticks},
        yaxis={"title": {"text": "Test accuracy (%)"}, "range": list(limits)},
    )
    return BOTTOM + beneath
