"""From where the weights of each layer come: a bar for each layer, divided among the sources."""

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from softmerge_core.events import Event, Gates, Stage
from softmerge_core.experiments.merge.drill import deep_rows, is_deep
from softmerge_core.experiments.merge.rows import layer_shares
from softmerge_core.figures.gates import last_gates
from softmerge_core.figures.style import SCALES, Theme, colour, distinct, new_figure, source_colour

_PATTERNS = ("", "/", "x", ".", "-", "+")  # further sources have the first ones' colours, with a pattern
_WRITTEN = 0.09  # the smallest share whose number fits into its part of the bar
_LABEL = 15  # px: the height that a layer's name and numbers need
_DEEP = 20  # px: the same where blocks are drawn, whose number changes at a click
_BAR = 44  # px: the largest height of a bar
_TOP, _BOTTOM = 40, 44  # px


def shares_figure(
    events: Sequence[Event], *, theme: Theme, height: int = 320, opened: Sequence[str] = (), wanted: str = ""
) -> go.Figure | None:
    """The share of each source in each layer's weights, in percent; None before the first gates.

    The shares are those of the newest gates (z over its sum), as means over the parts of a layer. Very many layers are
    drawn block by block; ``opened`` and ``wanted`` as in ``deep_rows``.
    """
    found = last_gates(events)
    if found is None:
        return None
    stage, gates = found
    layers = _layers(stage, gates, opened, wanted)
    rows = distinct([name for name, _ in layers], 24)
    row = (height - _TOP - _BOTTOM) / max(len(rows), 1)
    roomy = row >= (_DEEP if is_deep(stage) else _LABEL)
    figure = new_figure(theme, narrow={"margin.t": _TOP + 20})
    for index, name in enumerate(distinct(stage.sources, 24)):
        figure.add_trace(_bars(rows, [shares[index] for _, shares in layers], name, index, theme, written=roomy))
    figure.update_layout(
        barmode="stack",
        bargap=max(0.25, 1 - _BAR / row) if roomy else 0,
        margin={"l": 12, "r": 16, "t": _TOP, "b": _BOTTOM},
        legend={"traceorder": "normal"},
        xaxis={"title": {"text": "Share of the merged weights (%)"}, "range": [0, 100.5]},
        yaxis=_layers_axis(len(rows), height),
    )
    return figure


def _layers(stage: Stage, gates: Gates, opened: Sequence[str], wanted: str) -> list[tuple[str, tuple[float, ...]]]:
    """The name and the shares of each bar."""
    if is_deep(stage):
        rows = deep_rows(stage, gates, opened=opened, wanted=wanted)
        return [pair for pair in zip(rows.groups, rows.share, strict=True) if pair[0]]
    owners = stage.groups if len(stage.groups) == len(stage.parts) else stage.parts
    return layer_shares(owners, gates.share or gates.value)


def _bars(
    rows: Sequence[str], shares: Sequence[float], name: str, index: int, theme: Theme, *, written: bool
) -> go.Bar:
    color, background = source_colour(index, theme), colour("background", theme)
    pattern = {"shape": _PATTERNS[index // len(SCALES["sources"]) % len(_PATTERNS)], "fgcolor": background, "size": 5}
    return go.Bar(
        x=[100 * share for share in shares],
        y=list(rows),
        orientation="h",
        name=name,
        marker={"color": color, "line": {"color": background, "width": 1}, "pattern": pattern},
        text=[f"{100 * share:.0f}" if written and share >= _WRITTEN else "" for share in shares],
        textposition="inside",
        insidetextanchor="middle",
        textangle=0,
        textfont={"color": background},
        hovertemplate="%{y}<br>" + "%{fullData.name}: %{x:.1f}\u00a0%<extra></extra>",
    )


def _layers_axis(rows: int, height: int) -> dict[str, Any]:
    """The layers from the top down; where their names do not fit, plotly leaves some out."""
    room = (height - _TOP - _BOTTOM) // _LABEL
    axis = {"type": "category", "range": [rows - 0.5, -0.5], "showgrid": False, "ticks": "", "showline": False}
    return {**axis, "dtick": -(-rows // max(room, 1))}
