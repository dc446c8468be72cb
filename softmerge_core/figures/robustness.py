"""Malicious sources: accuracy of each method against their number and strength, and who is to blame."""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, log10, nan
from typing import Any, Literal

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from softmerge_core.events import BEST, Blame, Event, Score
from softmerge_core.experiments.robustness.words import as_measured
from softmerge_core.experiments.words import percent, signed
from softmerge_core.figures.accuracy import percent_range
from softmerge_core.figures.labels import EndLabel, end_labels
from softmerge_core.figures.laying import lay, upright
from softmerge_core.figures.rows import row_axis
from softmerge_core.figures.style import GLYPHS, Theme, colour, distinct, method_style, method_title, new_figure
from softmerge_core.numbers import number_text, range_text
from softmerge_core.statistics import Bar, bar

Against = Literal["malicious", "strength"]
TOP, BOTTOM = 30, 52  # px
ROW = 34  # px a source in the picture of blame


def robustness_figure(
    events: Sequence[Event],
    *,
    theme: Theme,
    against: Against,
    malicious: int,
    strength: float,
    methods: Sequence[str],
    sources: int,
    unit: str = "",
    height: int = 360,
) -> go.Figure | None:
    """Test accuracy (percent) of each of ``methods`` as a line; None before the first.

    ``against`` is "malicious" for accuracy over the number of malicious sources (of ``sources``) at ``strength``, or
    "strength" for accuracy over the attack's strength (log axis, in ``unit``) with ``malicious`` such sources. The
    best honest source is a level line. Of several seeds it is the mean, with its 95 % interval as a bar.
    ``height`` is that of the chart, in px.
    """
    scores = [event for event in events if isinstance(event, Score)]
    lines = {key: _line(scores, key, against, malicious, strength) for key in methods}
    best = next((100 * score.accuracy for score in reversed(scores) if score.series == BEST), None)
    bars = {key: _bars_of(scores, key, against, malicious, strength) for key in methods}
    values = [y for line in lines.values() for y in line.values() if isfinite(y)]
    if not values:
        return None
    # the bar of two seeds may be very long, and is shorter when the third is there: it would make the axis jump
    ends = [end for mine in bars.values() for each in mine.values() if each.seeds > 2 for end in each[:2]]
    low, high = percent_range([*values, *(100 * end for end in ends), *([] if best is None else [best])])
    figure, reach = new_figure(theme), _reach(lines, against, sources)
    _mark_chosen(figure, malicious if against == "malicious" else strength, theme)
    labels: list[EndLabel | None] = []
    if best is not None:
        labels.append(_add_best(figure, best, reach, theme))
    for key, line in sorted(lines.items(), key=lambda item: method_style(item[0], theme).dash != "solid"):
        if line:  # solid lines lie below, so that a broken one with the same course is seen
            labels.append(_add_line(figure, key, line, bars[key], against, theme))
    tried = sorted({x for line in lines.values() for x in line})
    _axes(figure, against, reach, tried, f"Malicious sources (of {sources})", unit)
    title = f"Test accuracy (%), {_seeds(each for mine in bars.values() for each in mine.values())}"
    figure.update_layout(yaxis={"title": {"text": title}, "range": [low, high]})
    figure.update_layout(showlegend=False, margin={"t": TOP, "b": BOTTOM})
    end_labels(figure, [label for label in labels if label], low=low, high=high, plot_height=height - TOP - BOTTOM)
    return figure


def _seeds(bars: Iterable[Bar]) -> str:
    """How many seeds there are at most, and on how many test samples they were tested, as far as that is known."""
    found = list(bars)
    if not found:
        return "one seed"
    samples = max(each.samples for each in found)
    return f"{max(each.seeds for each in found)} seeds{f', n = {samples:,}' if samples else ''}"


def _cells(
    scores: Sequence[Score], key: str, against: Against, malicious: int, strength: float
) -> dict[float, list[Score]]:
    """The scores of a method by number or by strength, one a seed; of several the newest."""
    fixed = {"malicious": ("strength", strength), "strength": ("malicious", malicious)}[against]
    cells: dict[float, dict[int, Score]] = {}
    for score in scores:
        if score.series == key and getattr(score, fixed[0]) == fixed[1]:
            cells.setdefault(float(getattr(score, against)), {})[score.seed] = score
    return {x: list(by_seed.values()) for x, by_seed in cells.items()}


def _bars_of(scores: Sequence[Score], key: str, against: Against, malicious: int, strength: float) -> dict[float, Bar]:
    """The 95 % interval (0-1) of each cell with several seeds."""
    cells = _cells(scores, key, against, malicious, strength)
    found = {x: bar(as_measured(cell)) for x, cell in cells.items() if len(cell) > 1}
    return {x: each for x, each in found.items() if each}


def _line(scores: Sequence[Score], key: str, against: Against, malicious: int, strength: float) -> dict[float, float]:
    """Accuracy in percent by number or by strength, in order.

    It is NaN where the method gave no result, and for numbers between others whose result is still to come.
    """
    cells = _cells(scores, key, against, malicious, strength)
    found = {x: 100 * as_measured(cell).mean for x, cell in cells.items()}
    if against == "strength":
        return {x: found[x] for x in sorted(found) if x > 0}
    numbers = range(round(min(found)), round(max(found)) + 1) if found else ()
    return {float(number): found.get(number, nan) for number in numbers}


def _reach(lines: Mapping[str, Mapping[float, float]], against: Against, sources: int) -> tuple[float, float]:
    """The ends of the x axis: the least and greatest possible number, or strength that was tried."""
    if against == "malicious":
        return 0, sources - 1
    strengths = [x for line in lines.values() for x in line]
    return min(strengths), max(strengths)


def _mark_chosen(figure: go.Figure, x: float, theme: Theme) -> None:
    """Draw a thin line at the chosen case, which both pictures share."""
    lay(figure, shapes=[upright(x, {"color": colour("axis", theme), "width": 1}, layer="below")])


def _add_best(figure: go.Figure, best: float, reach: tuple[float, float], theme: Theme) -> EndLabel:
    style = method_style(BEST, theme)
    figure.add_scatter(
        x=list(reach), y=[best, best], name="Best honest source", mode="lines",
        line={"color": style.color, "dash": style.dash, "width": 1.5},
        hovertemplate="Best honest source: %{y:.1f}\u00a0%<extra></extra>",
    )  # fmt: skip
    return EndLabel(best, "┈ Best honest", "┈ Best honest", style.color)


def _add_line(
    figure: go.Figure, key: str, line: Mapping[float, float], bars: Mapping[float, Bar], against: Against, theme: Theme
) -> EndLabel | None:
    """Draw a method's line; returns its label, which stands at the height of the last known value."""
    style, title = method_style(key, theme), method_title(key)
    first = key == "soft"
    what = "%{x} malicious" if against == "malicious" else "strength %{x:g}"
    figure.add_scatter(
        x=list(line), y=list(line.values()), name=title, mode="lines+markers",
        line={"color": style.color, "dash": style.dash, "width": 2.5 if first else 1.75},
        marker={"color": style.color, "symbol": style.marker, "size": 9 if first else 8},
        cliponaxis=False, customdata=[_interval(bars.get(x)) for x in line], error_y=_error(line, bars, style.color),
        hovertemplate=f"{title}<br>{what}: %{{y:.1f}}\u00a0%%{{customdata}}<extra></extra>",
    )  # fmt: skip
    known = [y for y in line.values() if isfinite(y)]
    if not known:
        return None
    glyph, short = GLYPHS.get(style.marker, "●"), method_title(key, short=True)
    return EndLabel(known[-1], f"{glyph} {short}", f"{glyph} {short}", style.color)


def _error(line: Mapping[float, float], bars: Mapping[float, Bar], color: str) -> dict[str, Any]:
    """The bars of a line, in points above and below it."""
    ends = [(100 * bars[x].low, 100 * bars[x].high) if x in bars else (y, y) for x, y in line.items()]
    return {
        "type": "data", "symmetric": False, "visible": bool(bars), "color": color, "thickness": 1, "width": 3,
        "array": [high - y for (_, high), y in zip(ends, line.values(), strict=True)],
        "arrayminus": [y - low for (low, _), y in zip(ends, line.values(), strict=True)],
    }  # fmt: skip


def _interval(found: Bar | None) -> str:
    """A bar in words, for the pointer."""
    if found is None:
        return ""
    samples = f" and {found.samples:,} test samples" if found.samples else ""
    return (
        f"<br>95\u00a0% interval: {range_text(percent(found.low), percent(found.high))}, {found.seeds} seeds{samples}"
    )


def _axes(
    figure: go.Figure, against: Against, reach: tuple[float, float], tried: Sequence[float], title: str, unit: str
) -> None:
    low, high = reach
    if against == "malicious":
        figure.update_layout(xaxis={"title": {"text": title}, "dtick": 1, "range": [low - 0.15, high + 0.15]})
        return
    room = 0.05 * max(log10(high / low), 1)
    title = f"Strength ({unit}, log scale)" if unit else "Strength (log scale)"
    ticks = {"tickvals": list(tried), "ticktext": [number_text(x, 6) for x in tried], "tickangle": 0}
    axis = {"type": "log", "range": [log10(low) - room, log10(high) + room], **ticks}
    figure.update_layout(xaxis={"title": {"text": title}, **axis})


def blame_height(sources: int) -> int:
    """The height in px that gives each source its row."""
    return TOP + BOTTOM + ROW * max(sources, 2)


def blame_figure(blame: Blame | None, *, theme: Theme) -> go.Figure | None:
    """The mean gate of each source (0 to 1), beside the gain of the plain average without it (points).

    None where there is no ``blame`` yet.
    """
    if blame is None:
        return None
    labels = _source_labels(blame, 26, "malicious")
    short = _source_labels(blame, 14, "")
    figure = make_subplots(rows=1, cols=2, shared_yaxes=True, horizontal_spacing=0.08, figure=new_figure(theme))
    gates = [gate if isfinite(gate) else 0.0 for gate in blame.gates]
    figure.add_trace(_gate_bars(labels, gates, theme), row=1, col=1)
    gains = [100 * gain if isfinite(gain) else float("nan") for gain in blame.gains]
    figure.add_trace(_gain_bars(labels, gains, blame.malicious, theme), row=1, col=2)
    for label, gate, gain in zip(labels, gates, gains, strict=True):
        _number(figure, "x", "y", gate, label, f"{gate:.2f}", left=False)
        text = signed(gain) if isfinite(gain) else "unknown"
        _number(figure, "x2", "y2", gain if isfinite(gain) else 0.0, label, text, left=gain < 0)
    _blame_layout(figure, labels, short, gains, theme)
    return figure


def _source_labels(blame: Blame, limit: int, word: str) -> list[str]:
    """The sources' names; malicious ones are marked by a sign, and by ``word`` unless it is empty."""
    names = distinct(blame.sources, limit)
    mark = f" ({word})" if word else ""
    return [f"⚠\ufe0e {name}{mark}" if bad else name for name, bad in zip(names, blame.malicious, strict=True)]


def _gate_bars(labels: Sequence[str], gates: Sequence[float], theme: Theme) -> go.Bar:
    return go.Bar(
        x=gates, y=labels, orientation="h", name="Mean gate", width=0.62,
        marker={
            "color": gates, "colorscale": "Cividis", "cmin": 0, "cmax": 1,
            "line": {"color": colour("quiet", theme), "width": 1},
        },
        hovertemplate="%{y}<br>mean gate z: %{x:.2f}<extra></extra>",
    )  # fmt: skip


def _gain_bars(labels: Sequence[str], gains: Sequence[float], malicious: Sequence[bool], theme: Theme) -> go.Bar:
    return go.Bar(
        x=gains, y=labels, orientation="h", name="Leave-one-out gain", width=0.62,
        marker={
            "color": [colour("malicious" if bad else "source", theme) for bad in malicious],
            "pattern": {"shape": ["/" if bad else "" for bad in malicious], "size": 6, "solidity": 0.3},
        },
        hovertemplate="%{y}<br>leaving it out gains %{x:+.1f} points<extra></extra>",
    )  # fmt: skip


def _number(figure: go.Figure, x_axis: str, y_axis: str, x: float, label: str, text: str, *, left: bool) -> None:
    """Write a bar's number at its end."""
    figure.add_annotation(
        text=text, showarrow=False, xref=x_axis, x=x, yref=y_axis, y=label,
        xanchor="right" if left else "left", xshift=-4 if left else 4, yanchor="middle",
    )  # fmt: skip


def _blame_layout(
    figure: go.Figure, labels: Sequence[str], short: Sequence[str], gains: Sequence[float], theme: Theme
) -> None:
    known = [gain for gain in gains if isfinite(gain)]
    low, high = min([0.0, *known]), max([0.0, *known])
    room = max(0.28 * (high - low), 1.0)
    rows = row_axis(labels, theme)
    zero = {"zeroline": True, "zerolinecolor": colour("quiet", theme), "zerolinewidth": 1}
    figure.update_layout(
        showlegend=False,
        margin={"l": 8, "r": 16, "t": 12, "b": BOTTOM + TOP - 12},
        xaxis={"title": {"text": "Mean gate z (0 closed, 1 open)"}, "range": [0, 1.18], "tickvals": [0, 0.5, 1]},
        xaxis2={
            "title": {"text": "Gain when left out (points)"},
            "range": [low - (room if low < 0 else 0), high + (room if high > 0 or low == 0 else 0)],
            **zero,
        },
        yaxis={**rows, "ticktext": [f"{label}  " for label in labels]},
        yaxis2=rows,
    )
    brief = {
        "yaxis.ticktext": [f"{label} " for label in short],
        "xaxis.title.text": "Mean gate z",
        "xaxis2.title.text": "Gain (points)",
        "xaxis2.nticks": 4,
    }
    figure.update_layout(meta={**figure.layout.meta, "narrow": brief})
