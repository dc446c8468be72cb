"""The final test accuracy of every network of a merge, a row each."""

from collections.abc import Mapping, Sequence
from math import isfinite, nan
from typing import Any

import plotly.graph_objects as go

from softmerge_core.events import BEST
from softmerge_core.figures.accuracy import percent_range
from softmerge_core.figures.laying import Mark, lay
from softmerge_core.figures.rows import dot, noted, row_axis, row_number
from softmerge_core.figures.style import Theme, distinct, method_style, method_title, new_figure
from softmerge_core.statistics import Measured, bar

_METHODS = ("trunk", "average", BEST, "soft", "ensemble", "joint")
ROW = 30  # px a row


def accuracy_height(result: Mapping[str, Any]) -> int:
    """The height in px that gives every row of ``accuracy_dots`` its room."""
    return 80 + ROW * len(_rows(result))


def accuracy_dots(result: Mapping[str, Any], *, theme: Theme, n: int | None = None) -> go.Figure:
    """Test accuracy in percent of each source, plain average, best source, soft merge, ensemble and yardsticks.

    ``result`` has ``accuracy: {soft, average, best_source, ensemble, sources: [...]}`` (0-1) and
    ``source_names``. With ``n`` test samples each dot carries Wilson's 95 % interval, as the axis says.
    """
    rows = _rows(result)
    labels = distinct([name for _, name, _ in rows], 28)
    low, high = percent_range(_ends(rows, n) or [0.0, 100.0])
    figure, dots, numbers = new_figure(theme), list[go.Scatter](), list[Mark]()
    for (key, _, value), label in zip(rows, labels, strict=True):
        style = method_style(key, theme)
        dots.append(dot(label, value, style, error=_interval(value, n)))
        told = f"{value:.1f}\u00a0%" if isfinite(value) else "unknown"
        numbers.append(row_number(label, told, style.color))
    figure.add_traces(dots)
    lay(figure, annotations=numbers)
    wide, narrow = noted("Test accuracy (%)", f"Bars: 95\u00a0% interval, n = {n:,} test samples" if n else "")
    below = 64 + 18 * max(narrow.count("<br>") - 1, 0)
    figure.update_layout(
        showlegend=False,
        meta={**figure.layout.meta, "narrow": {"xaxis.title.text": narrow, "margin.b": below}},
        margin={"l": 8, "r": 64, "t": 12, "b": 64},
        xaxis={"title": {"text": wide}, "range": [low, high]},
        yaxis=row_axis(labels, theme),
    )
    return figure


def _rows(result: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """(style key, name, percent), sources first; a missing accuracy is NaN and keeps its row."""
    accuracy = result["accuracy"]
    names: Sequence[str] = result.get("source_names") or []
    sources = [
        (f"source:{i}", names[i] if i < len(names) else f"Source {i + 1}", _percent(value))
        for i, value in enumerate(accuracy.get("sources") or [])
    ]
    return sources + [(key, method_title(key), _percent(accuracy[key])) for key in _METHODS if key in accuracy]


def _ends(rows: Sequence[tuple[str, str, float]], n: int | None) -> list[float]:
    """Every value that is known, and both ends of its bar."""
    values = [value for _, _, value in rows if isfinite(value)]
    bars = [(value, found) for value in values if (found := _interval(value, n))]
    return values + [end for value, (left, right) in bars for end in (value - left, value + right)]


def _percent(share: float | None) -> float:
    return nan if share is None else 100 * share


def _interval(percent: float, n: int | None) -> tuple[float, float] | None:
    """The points to the left and the right that other test samples might give; None where it is not known."""
    if not n or not isfinite(percent):
        return None
    found = bar(Measured((min(max(percent / 100, 0.0), 1.0),), n))
    return (percent - 100 * found.low, 100 * found.high - percent) if found else None
