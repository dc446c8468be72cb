"""A pinned run behind a figure of another one: its lines dotted, its marks hollow, its name beside them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import plotly.graph_objects as go

from softmerge_core.figures.labels import EndLabel, end_labels_of, move_end_labels
from softmerge_core.figures.style import Theme, colour, escape

LINE = 19  # px: a row of the legend, or of the note below an axis
FAINT = 0.6  # of lines that keep the colour of what they are
NAME, BRIEF = 22, 13  # letters of a run's name at the end of its line; on a phone
Select = Callable[[go.Scatter], bool]


@dataclass(frozen=True)
class Ghost:
    """The figure of a pinned run, the run's ``name``, and which of the figure's traces are drawn (by default all)."""

    figure: go.Figure
    name: str
    select: Select = lambda trace: True


def with_ghost(figure: go.Figure, ghost: Ghost, theme: Theme) -> go.Figure:
    """Return ``figure``, in which the traces of ``ghost`` lie behind its own; both were built alike, in ``theme``.

    Lines are dotted and thin, marks hollow. Traces of one colour are grey, those of several keep theirs, faintly, so
    that it is seen whose they are. The y axes grow to hold both; x axes stay, and what lies beyond is cut off. The
    run's name stands at the end of its line, in the legend, or in the note below the axis, as the figure has it.
    """
    rows = figure.layout.yaxis.categoryarray
    traces = [trace for trace in ghost.figure.data if _is_drawn(trace) and ghost.select(trace)]
    if rows is not None:
        traces = [trace for trace in traces if set(trace.y) <= set(rows)]
    if not traces:
        return figure
    single = len({_hue(trace) for trace in traces}) == 1
    own, behind = figure.data, [_faded(trace, ghost.name, theme, single=single) for trace in traces]
    figure.add_traces(behind)
    figure.data = (*figure.data[len(own) :], *figure.data[: len(own)])
    _grow(figure, ghost.figure, rows is not None)
    _tell(figure, traces, ghost.name, theme, rows is not None)
    return figure


def _is_drawn(trace: Any) -> bool:
    """Whether a trace is a line or marks with a value, and not an aid of its figure."""
    return (
        trace.type == "scatter"
        and trace.mode in ("lines", "markers", "lines+markers")
        and trace.hoverinfo != "skip"
        and trace.y is not None
        and any(value is not None and (isinstance(value, str) or isfinite(value)) for value in trace.y)
    )


def _hue(trace: go.Scatter) -> str:
    return str(trace.line.color or trace.marker.color)


def _faded(trace: go.Scatter, name: str, theme: Theme, *, single: bool) -> go.Scatter:
    """A copy of a trace as a ghost: without bars, dotted, hollow."""
    hue = colour("quiet", theme) if single else _hue(trace)
    symbol = str(trace.marker.symbol or "circle")
    shown = trace.hovertemplate or "%{x}: %{y}"
    return go.Scatter(
        x=trace.x, y=trace.y, mode=trace.mode, xaxis=trace.xaxis, yaxis=trace.yaxis, customdata=trace.customdata,
        name=f"{trace.name}, pinned", showlegend=False, opacity=1 if single else FAINT, cliponaxis=True,
        line={"color": hue, "width": 1.5, "dash": "dot"},
        marker={
            "symbol": symbol if symbol.endswith("-open") else f"{symbol}-open", "color": hue,
            "size": trace.marker.size if trace.marker.size is not None else 6, "line": {"width": 1.5},
        },
        hovertemplate=f"Pinned ({escape(name)}): {shown.removesuffix('<extra></extra>')}<extra></extra>",
    )  # fmt: skip


def _grow(figure: go.Figure, ghost: go.Figure, rows: bool) -> None:
    """Let the axis of values hold those of both figures: x where rows are named, else every y axis."""
    for axis in figure.select_xaxes() if rows else figure.select_yaxes():
        other = ghost.layout[axis.plotly_name]
        if axis.range is not None and other.range is not None and axis.type == other.type:
            before, axis.range = (
                axis.range,
                (min(axis.range[0], other.range[0]), max(axis.range[1], other.range[1])),
            )
            for note in figure.layout.annotations if rows else ():  # arrows stay at the edge
                if note.x == before[0]:
                    note.x = axis.range[0]


def _tell(figure: go.Figure, traces: Sequence[go.Scatter], name: str, theme: Theme, rows: bool) -> None:
    """Write the run's name at its line, in the legend, or below the axis."""
    known = end_labels_of(figure)
    if rows:
        _note_below(figure, f"Hollow: {escape(name)}, pinned")
    elif known is not None:
        last = _last_seen(traces[0], figure.layout.xaxis.range)
        low, high = figure.layout.yaxis.range
        text, short = (f"┈ {escape(name, most)}" for most in (NAME, BRIEF))
        move_end_labels(figure, EndLabel(last, text, short, colour("quiet", theme)), low=low, high=high)
    else:
        _legend_entry(figure, f"{escape(name, 30)}, pinned", theme)


def _last_seen(trace: go.Scatter, reach: Sequence[float] | None) -> float:
    """The value at the end of a line, or where it leaves the plot, whose x axis has the range ``reach``."""
    known = [(x, y) for x, y in zip(trace.x, trace.y, strict=True) if y is not None and isfinite(y)]
    seen = [y for x, y in known if reach is None or x <= reach[1]]
    return float(seen[-1] if seen else known[0][1])


def _note_below(figure: go.Figure, text: str) -> None:
    narrow = dict(figure.layout.meta.get("narrow", {}))
    bottom = figure.layout.margin.b
    narrow["xaxis.title.text"] = f"{narrow.get('xaxis.title.text', figure.layout.xaxis.title.text)}<br>{text}"
    narrow["margin.b"] = narrow.get("margin.b", bottom) + LINE
    figure.update_layout(
        xaxis={"title": {"text": f"{figure.layout.xaxis.title.text}<br>{text}"}},
        margin={"b": bottom + LINE},
        meta={**figure.layout.meta, "narrow": narrow},
    )


def _legend_entry(figure: go.Figure, text: str, theme: Theme) -> None:
    line = {"color": colour("quiet", theme), "dash": "dot", "width": 1.5}
    figure.add_scatter(
        x=[None], y=[None], mode="lines", name=text, line=line, showlegend=True, hoverinfo="skip"
    )  # fmt: skip
    narrow = dict(figure.layout.meta.get("narrow", {}))
    top = figure.layout.margin.t + LINE
    if "margin.t" in narrow:
        narrow["margin.t"] += LINE
    figure.update_layout(margin={"t": top}, meta={**figure.layout.meta, "narrow": narrow})
