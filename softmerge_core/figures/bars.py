"""Final test accuracy of everything that was compared: one dot each, its number beside it."""

from collections.abc import Mapping, Sequence
from math import isfinite, sqrt
from typing import Any

import plotly.graph_objects as go

from softmerge_core.figures.accuracy import percent_range
from softmerge_core.figures.style import Theme, colour, distinct, method_style, method_title, new_figure

_METHODS = ("average", "best_source", "soft", "ensemble")
ROW = 30  # px a row


def accuracy_height(result: Mapping[str, Any]) -> int:
    """Height in px that gives every row of ``accuracy_dots`` its room."""
    return 80 + ROW * len(_rows(result))


def accuracy_dots(result: Mapping[str, Any], *, theme: Theme, n: int | None = None) -> go.Figure:
    """Test accuracy in percent of each source, plain average, best source, soft merge and ensemble.

    ``result`` has ``accuracy: {soft, average, best_source, ensemble, sources: [...]}`` (0-1) and
    ``source_names``. With ``n`` test samples each dot carries one binomial standard error, as the axis says.
    """
    rows = _rows(result)
    labels = distinct([name for _, name, _ in rows], 28)
    shown = [value for _, _, value in rows if isfinite(value)] or [0.0, 100.0]
    low, high = percent_range(shown)
    figure = new_figure(theme)
    for (key, _, value), label in zip(rows, labels, strict=True):
        figure.add_trace(_dot(key, label, value, theme, n))
        figure.add_annotation(
            text=f"{value:.1f} %" if isfinite(value) else "unknown", showarrow=False,
            font={"color": method_style(key, theme).color},
            xref="paper", x=1, xanchor="left", y=label, yanchor="middle",
        )  # fmt: skip
    note = f"<br>Bars: ±1 standard error, n = {n:,}" if n else ""
    figure.update_layout(
        showlegend=False,
        margin={"l": 8, "r": 64, "t": 12, "b": 64},
        xaxis={"title": {"text": f"Test accuracy (%){note}"}, "range": [low, high]},
        yaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": labels[::-1],
            "showline": False,
            "ticks": "",
            "tickfont": {"color": colour("text", theme)},
        },
    )
    return figure


def _rows(result: Mapping[str, Any]) -> list[tuple[str, str, float]]:
    """(style key, name, percent), sources first; a missing accuracy is NaN and keeps its row."""
    accuracy = result["accuracy"]
    names: Sequence[str] = result.get("source_names") or []
    sources = [
        ("source:0", names[i] if i < len(names) else f"Source {i + 1}", _percent(value))
        for i, value in enumerate(accuracy.get("sources") or [])
    ]
    return sources + [(key, method_title(key), _percent(accuracy[key])) for key in _METHODS if key in accuracy]


def _percent(value: float | None) -> float:
    return 100 * value if value is not None else float("nan")


def _dot(key: str, label: str, value: float, theme: Theme, n: int | None) -> go.Scatter:
    style = method_style(key, theme)
    share = min(max(value / 100, 0.0), 1.0) if isfinite(value) else 0.0
    error = 100 * sqrt(share * (1 - share) / n) if n else 0.0
    return go.Scatter(
        x=[value],
        y=[label],
        name=label,
        mode="markers",
        marker={
            "color": style.color,
            "symbol": style.marker,
            "size": 11,
            "line": {"width": 2, "color": style.color},
        },
        error_x={
            "type": "data",
            "array": [error],
            "color": style.color,
            "thickness": 1.5,
            "width": 0,
            "visible": bool(n),
        },
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
    )
