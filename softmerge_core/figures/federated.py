"""Figures of federated learning: the shards, the course of the runs round by round, and the state of each client."""

from collections.abc import Mapping, Sequence
from math import floor, isfinite, log10
from typing import Any

import plotly.graph_objects as go

from softmerge_core.events import Evaluation, Event, FederatedRound
from softmerge_core.experiments.federated.words import run_title
from softmerge_core.federated.settings import FederatedRun
from softmerge_core.figures.accuracy import percent_range
from softmerge_core.figures.federated_style import RunStyle, run_styles
from softmerge_core.figures.labels import EndLabel, end_labels
from softmerge_core.figures.style import Theme, new_figure

TOP, BOTTOM = 16, 48  # px
HEAD = 34  # px above the rows of clients, for the legend
ROW = 22  # px per client
# Shades of grey, from the background colour on, tell counts from probabilities, which are drawn in cividis.
RAMP = {
    "light": ("#ffffff", "#d8d8de", "#a2a2ad", "#62626f", "#1f1f29"),
    "dark": ("#0e1117", "#31353f", "#666b77", "#a3a8b3", "#eceef2"),
}
INK = {"few": {"light": "#010101", "dark": "#fefefe"}, "many": {"light": "#fefefe", "dark": "#010101"}}
TURN = {"light": 0.67, "dark": 0.55}  # the share of the largest count from which the other ink is clearer
_WARN = "⚠\ufe0e "
Newest = dict[int, tuple[float, int]]  # client -> value, round
_MEASURES = {  # name -> axis title, unit in the hover label
    "drift": ("Drift |y − x| / |x|", ""),
    "spread": ("Scope spread (nats)", " nats"),
}


def clients_height(clients: int, row: int = ROW) -> int:
    """The height (px) of a figure in which each client has a row of ``row`` px."""
    return HEAD + BOTTOM + row * min(max(clients, 4), 40)


def shards_figure(
    counts: Sequence[Sequence[int]], malicious: Sequence[bool], *, theme: Theme, brief: bool = False
) -> go.Figure | None:
    """A heatmap of clients x classes: the number of samples of each class that a client has.

    ``brief`` leaves out the colour scale and the long names. None if there are no clients.
    """
    if not counts or not counts[0]:
        return None
    ramp, most = RAMP[theme], max(max(row) for row in counts)
    figure = new_figure(theme)
    names = [_client(k, bad) for k, bad in enumerate(malicious)]
    shown = [f"{_WARN if bad else ''}Client {k + 1}" for k, bad in enumerate(malicious)]
    figure.add_heatmap(
        z=[[value or None for value in row] for row in counts],
        x=list(range(len(counts[0]))), y=list(range(len(counts))),
        zmin=0, zmax=most, colorscale=[[i / (len(ramp) - 1), tone] for i, tone in enumerate(ramp)], xgap=1, ygap=1,
        customdata=[[name] * len(counts[0]) for name in names], name="Samples",
        hovertemplate="%{customdata}, class %{x}: %{z} samples<extra></extra>",
        colorbar={"title": {"text": "Samples", "side": "right"}, "thickness": 10, "outlinewidth": 0, "nticks": 5},
    )  # fmt: skip
    if len(counts) * len(counts[0]) <= 400:
        _write_counts(figure, counts, most, theme)
    every = max(1, -(-len(counts) // 40))
    ticks = list(range(0, len(counts), every))
    figure.update_layout(
        margin={"l": 8, "r": 8, "t": HEAD, "b": BOTTOM},
        xaxis={"title": {"text": "Class"}, "dtick": max(1, -(-len(counts[0]) // 20)), "showgrid": False, "ticks": ""},
        yaxis={
            "autorange": "reversed", "tickvals": ticks, "ticktext": [f"{shown[k]} " for k in ticks],
            "showgrid": False, "ticks": "",
        },
    )  # fmt: skip
    few = [f"{_WARN if malicious[k] else ''}{k + 1} " for k in ticks]
    figure.update_layout(meta={**figure.layout.meta, "narrow": {"yaxis.ticktext": few, "yaxis.title.text": "Client"}})
    if brief:
        figure.update_traces(showscale=False, selector={"type": "heatmap"})
        figure.update_layout(margin={"t": 8}, yaxis={"title": {"text": "Client"}, "ticktext": few})
    return figure


def _client(number: int, malicious: bool) -> str:
    return f"{_WARN}Client {number + 1} (malicious)" if malicious else f"Client {number + 1}"


def _write_counts(figure: go.Figure, counts: Sequence[Sequence[int]], most: int, theme: Theme) -> None:
    """Write the numbers into their cells, in the ink that is clearer there."""
    text = [[str(value) if value else "" for value in row] for row in counts]
    flip = [[value > TURN[theme] * most for value in row] for row in counts]
    for strong in (False, True):
        cells = [
            (x, y) for y, row in enumerate(counts) for x, value in enumerate(row) if value and flip[y][x] == strong
        ]
        name = "many" if strong else "few"
        figure.add_scatter(
            x=[x for x, _ in cells], y=[y for _, y in cells], text=[text[y][x] for x, y in cells], mode="text",
            textfont={"size": 11, "color": INK[name][theme]}, hoverinfo="skip", showlegend=False, name=name,
        )  # fmt: skip


def rounds_figure(
    events: Sequence[Event], runs: Sequence[FederatedRun], *, theme: Theme, rounds: int, height: int
) -> go.Figure | None:
    """The test accuracy (percent) of each run's server after every round; None before the first round."""
    lines = {
        run.key: {
            e.step: 100 * e.accuracy
            for e in events
            if isinstance(e, Evaluation) and e.series == run.key and e.split == "test"
        }
        for run in runs
    }
    values = [value for line in lines.values() for value in line.values()]
    if not values:
        return None
    low, high = percent_range(values)
    figure = _lines(lines, runs, theme, rounds, "%{y:.1f}\u00a0%")
    figure.update_layout(yaxis={"title": {"text": "Test accuracy (%), one seed"}, "range": [low, high]})
    _label_ends(figure, lines, runs, theme, (low, high), height, "{:.1f}\u00a0%")
    return figure


def measure_figure(
    events: Sequence[Event], runs: Sequence[FederatedRun], measure: str, *, theme: Theme, rounds: int, height: int
) -> go.Figure | None:
    """The ``measure`` ("drift" or "spread") of each run after every round, on a log axis if values are far apart."""
    lines = {
        run.key: {
            e.step: value
            for e in events
            if isinstance(e, FederatedRound) and e.series == run.key and isfinite(value := getattr(e, measure))
        }
        for run in runs
    }
    positive = [value for line in lines.values() for value in line.values() if value > 0]
    if not positive:
        return None
    title, unit = _MEASURES[measure]
    wide = max(positive) > 30 * min(positive)
    if wide:  # zero has no place on a log axis
        lines = {key: {x: y for x, y in line.items() if y > 0} for key, line in lines.items()}
    figure = _lines(lines, runs, theme, rounds, f"%{{y:.3g}}{unit}")
    if wide:
        low, high = log10(min(positive)) - 0.1, log10(max(positive)) + 0.1
        whole = range(floor(low), floor(high) + 1)
        axis: dict[str, Any] = {"type": "log", "range": [low, high], "title": {"text": f"{title}, log"}}
        if len(whole) > 2:
            axis |= {"dtick": max(1, len(whole) // 5), "exponentformat": "power"}
        lines = {key: {x: log10(y) for x, y in line.items()} for key, line in lines.items()}
    else:
        low, high = 0.0, 1.08 * max(positive)
        axis = {"range": [low, high], "title": {"text": title}}
    figure.update_layout(yaxis=axis)
    _label_ends(figure, lines, runs, theme, (low, high), height, None)
    return figure


def _lines(
    lines: Mapping[str, Mapping[int, float]], runs: Sequence[FederatedRun], theme: Theme, rounds: int, shown: str
) -> go.Figure:
    figure, styles = new_figure(theme), run_styles(runs, theme)
    for run in runs:
        line, style = lines[run.key], styles[run.key]
        few = len(line) <= 60
        figure.add_scatter(
            x=list(line), y=list(line.values()), name=run_title(run), mode="lines+markers" if few else "lines",
            line={"color": style.color, "dash": style.dash, "width": 2},
            marker={"color": style.color, "symbol": style.marker, "size": 5},
            hovertemplate=f"{run_title(run)}<br>round %{{x}}: {shown}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(
        showlegend=False,
        margin={"t": TOP, "b": BOTTOM},
        xaxis={"title": {"text": "Round"}, "range": [0, rounds + 0.02 * rounds], "nticks": 8, "tickformat": "d"},
    )
    return figure


def _label_ends(
    figure: go.Figure,
    lines: Mapping[str, Mapping[int, float]],
    runs: Sequence[FederatedRun],
    theme: Theme,
    span: tuple[float, float],
    height: int,
    shown: str | None,
) -> None:
    """Write each line's short title beside its end, and its last value in the format ``shown`` (None: no value)."""
    styles, labels = run_styles(runs, theme), []
    for run in runs:
        if not lines[run.key]:
            continue
        last, style = list(lines[run.key].values())[-1], styles[run.key]
        glyph = "┅" if run.scope else "━"
        text = f"{glyph} {style.short}"
        labels.append(EndLabel(last, f"{text} {shown.format(last)}" if shown else text, _brief(text), style.color))
    low, high = span
    end_labels(figure, labels, low=low, high=high, plot_height=height - TOP - BOTTOM)
    if len(labels) * 17 > height - TOP - BOTTOM:  # there are more lines than fit
        for note in figure.layout.annotations:
            note.font.size = 10


def _brief(text: str, limit: int = 15) -> str:
    return text if len(text) <= limit else text.replace("SCAFFOLD", "Scaff.").replace(" + scope", "+scope")


def clients_figure(
    events: Sequence[Event], runs: Sequence[FederatedRun], malicious: Sequence[bool], *, theme: Theme, value: str
) -> go.Figure | None:
    """A row for each client with a mark for each run; None while no run has such values.

    ``value`` is "accuracies" (percent, on all test data) or "gates" (0-1). A client that took no part in the newest
    round is shown as it last was; its hover label names that round.
    """
    styles, figure = run_styles(runs, theme), new_figure(theme)
    shown = [(run, newest) for run in runs if (newest := _newest(events, run.key, value))]
    for place, (run, newest) in enumerate(shown):
        beside = 0.6 * (place - (len(shown) - 1) / 2) / len(shown)  # so that no mark hides another
        _add_marks(figure, run, styles[run.key], newest, beside, scale=100 if value == "accuracies" else 1)
    if not figure.data:
        return None
    _lay_out_clients(figure, malicious, value)
    return figure


def _add_marks(
    figure: go.Figure, run: FederatedRun, style: RunStyle, newest: Newest, beside: float, *, scale: float
) -> None:
    figure.add_scatter(
        x=[scale * number for number, _ in newest.values()], y=[client + beside for client in newest],
        mode="markers", name=style.short, cliponaxis=False,
        marker={
            "color": style.color, "symbol": style.marker, "size": 8, "line": {"width": 1.5, "color": style.color},
        },
        customdata=[[client + 1, step] for client, (_, step) in newest.items()],
        hovertemplate=f"{run_title(run)}<br>client %{{customdata[0]}}, round %{{customdata[1]}}"
        ": %{x:.3g}<extra></extra>",
    )  # fmt: skip


def _lay_out_clients(figure: go.Figure, malicious: Sequence[bool], value: str) -> None:
    clients = len(malicious)
    names = [f"{_WARN if bad else ''}Client {k + 1} " for k, bad in enumerate(malicious)]
    ticks = list(range(0, clients, max(1, -(-clients // 40))))
    title = "Test accuracy after local training (%)" if value == "accuracies" else "Mean gate z (0 closed, 1 open)"
    axis = {"range": [0, 102]} if value == "accuracies" else {"range": [-0.04, 1.04]}
    figure.update_layout(
        margin={"l": 8, "r": 16, "t": HEAD, "b": BOTTOM},
        xaxis={"title": {"text": title}, **axis},
        yaxis={
            "range": [clients - 0.4, -0.6], "tickvals": ticks, "ticktext": [names[k] for k in ticks], "ticks": "",
        },
        legend={"font": {"size": 11}},
        showlegend=len(figure.data) > 1,
    )  # fmt: skip
    brief = {
        "yaxis.ticktext": [f"{k + 1} " for k in ticks],
        "yaxis.title.text": "Client",
        "xaxis.title.text": title.replace(" after local training", "").partition(" z")[0],
    }
    figure.update_layout(meta={**figure.layout.meta, "narrow": brief})


def _newest(events: Sequence[Event], key: str, value: str) -> Newest:
    """The newest value of each client in the run called ``key``, with its round."""
    found: Newest = {}
    for event in events:
        if isinstance(event, FederatedRound) and event.series == key:
            found |= {c: (n, event.step) for c, n in zip(event.clients, getattr(event, value), strict=False)}
    return dict(sorted(found.items()))
