"""Calibration: how often networks are right at each confidence, how many samples that is told by, and their error."""

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from softmerge_core.figures.laying import Mark, lay
from softmerge_core.figures.rows import dot, noted, row_axis, row_number
from softmerge_core.figures.style import Theme, colour, method_style, method_title, new_figure
from softmerge_core.statistics.calibration import BINS, FEW, Bins, Calibration

HEIGHT = 420  # px of the diagram
ROW = 34  # px a row of errors
LOW = 0.24  # the share of the height that the numbers of samples take


def reliability_figure(found: Mapping[str, Bins], *, theme: Theme) -> go.Figure | None:
    """The share of right answers in each bin of confidence, by network, above the number of samples in each bin.

    On the diagonal a network is right as often as it says. Bins of fewer than FEW samples are hollow. None without any.
    """
    if not any(bins.size.any() for bins in found.values()):
        return None
    figure = new_figure(theme)
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", name="Calibrated", hoverinfo="skip",
        line={"color": colour("quiet", theme), "width": 1},
    )  # fmt: skip
    for key, bins in found.items():
        _add_network(figure, key, bins, theme)
    note = f"Hollow marks: fewer than {FEW} samples"
    wide, narrow = noted("Confidence (%)", note)
    figure.update_layout(
        margin={"t": 56, "b": 64, "r": 12, "l": 60},
        meta={**figure.layout.meta, "narrow": {"xaxis.title.text": narrow}},
        xaxis={"title": {"text": wide}, "range": [-2, 102], "anchor": "y2"},
        yaxis={"title": {"text": "Right answers (%)"}, "range": [-3, 103], "domain": [LOW + 0.08, 1]},
        yaxis2={"title": {"text": "Samples"}, "domain": [0, LOW], "rangemode": "tozero", "nticks": 3},
    )
    return figure


def _add_network(figure: go.Figure, key: str, bins: Bins, theme: Theme) -> None:
    style, title = method_style(key, theme), method_title(key)
    there = bins.size > 0
    symbols = [f"{style.marker}-open" if size < FEW else style.marker for size in bins.size[there].tolist()]
    sizes = bins.size[there].tolist()
    figure.add_scatter(
        x=(100 * bins.confidence[there]).round(3).tolist(), y=(100 * bins.right[there]).round(3).tolist(),
        name=title, mode="lines+markers", customdata=sizes, legendgroup=key,
        line={"color": style.color, "dash": style.dash, "width": 1.5},
        marker={"symbol": symbols, "size": 8, "color": style.color, "line": {"width": 1.5, "color": style.color}},
        hovertemplate=f"{title}<br>says %{{x:.1f}}\u00a0%, right on %{{y:.1f}}\u00a0%<br>%{{customdata}} samples"
        "<extra></extra>",
    )  # fmt: skip
    middles = ((np.arange(BINS) + 0.5) * 100 / BINS).round(2).tolist()
    figure.add_scatter(
        x=middles, y=bins.size.tolist(), name=f"{title}, samples", yaxis="y2", mode="lines", legendgroup=key,
        showlegend=False, line={"color": style.color, "dash": style.dash, "width": 1.5, "shape": "hvh"},
        hovertemplate=f"{title}<br>%{{y}} samples<extra></extra>",
    )  # fmt: skip


def errors_height(count: int) -> int:
    """The height in px of ``errors_figure`` with so many networks."""
    return 130 + ROW * count


def errors_figure(found: Mapping[str, Calibration], *, theme: Theme) -> go.Figure | None:
    """The calibration error of each network in percentage points, with its interval; None where none is known."""
    known = {key: each for key, each in found.items() if each.samples}
    if not known:
        return None
    figure, labels, numbers = new_figure(theme), [method_title(key) for key in known], list[Mark]()
    for (key, each), label in zip(known.items(), labels, strict=True):
        style, value = method_style(key, theme), 100 * each.error
        error = (max(0.0, value - 100 * each.low), max(0.0, 100 * each.high - value))
        figure.add_trace(dot(label, value, style, error=error))
        numbers.append(row_number(label, f"{value:.1f}", style.color))
    lay(figure, annotations=numbers)
    samples = next(iter(known.values())).samples
    note = f"Bars: 95\u00a0% bootstrap interval, n = {samples:,} test samples"
    wide, narrow = noted("Expected calibration error (points)", note)
    top = 100 * max(each.high for each in known.values())
    figure.update_layout(
        showlegend=False, margin={"l": 8, "r": 48, "t": 12, "b": 64},
        meta={**figure.layout.meta, "narrow": {"xaxis.title.text": narrow, "margin.b": 64 + 18 * narrow.count("<br>")}},
        xaxis={"title": {"text": wide}, "range": [-0.02 * top, 1.06 * top or 1.0]},
        yaxis=row_axis(labels, theme),
    )  # fmt: skip
    return figure
