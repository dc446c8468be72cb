"""What a class answered in its votes on one question. The truth is marked and named at its place."""

from collections import Counter
from collections.abc import Sequence
from textwrap import wrap
from typing import Any

import plotly.graph_objects as go

from softmerge_core.experiments.words import letter
from softmerge_core.figures.style import Theme, colour, escape, new_figure

VOTES = ("First vote", "Second vote")
LINE = 46  # letters of an answer in a line that fits on a phone
BINS = 50  # stacks of dots over the range of a number
RIGHT = "✓"


def option_rows(options: Sequence[str], votes: int) -> int:
    """The height in px that gives every option of ``choice_bars`` its room, with a bar for each of the ``votes``."""
    return 84 + sum(30 + 18 * votes + 18 * len(_lines(number, text, None)) for number, text in enumerate(options))


def choice_bars(
    options: Sequence[str],
    votes: Sequence[Sequence[int]],
    *,
    right: int | None,
    theme: Theme,
    own: int | None = None,
) -> go.Figure:
    """How many chose each option, a bar for each vote; the first of two is drawn as an outline.

    ``votes``: for each vote, how many chose each option; ``right``: the place of the right one; ``own``: that of the
    reader's last answer.
    """
    figure = new_figure(theme)
    for vote, chosen in enumerate(votes):
        before = len(votes) > 1 and vote == 0
        figure.add_trace(_bars(chosen, right, theme, name=_name(vote, votes), before=before, lift=len(votes) > 1))
        for place, count in enumerate(chosen):
            you = ", yours" if place == own and not before else ""
            _write(
                figure, _share(count, chosen), place + _shift(before, len(votes) > 1), f"{_said(count, chosen)}{you}"
            )
    for place, text in enumerate(options):
        _label(figure, place, _lines(place, text, right), theme)
    figure.update_layout(
        showlegend=len(votes) > 1,
        barmode="overlay",
        margin={"l": 8, "r": 72, "t": 30 if len(votes) > 1 else 10, "b": 48},
        xaxis={"title": {"text": "Students (%)"}, "range": [0, 100]},
        yaxis={"range": [len(options) - 0.4, -0.75], "showticklabels": False, "showgrid": False, "ticks": ""},
        meta={**figure.layout.meta, "values": _choice_values(options, votes, right)},
    )
    return figure


def _bars(chosen: Sequence[int], right: int | None, theme: Theme, *, name: str, before: bool, lift: bool) -> go.Bar:
    text, quiet = colour("text", theme), colour("quiet", theme)
    inks = [text if place == right else quiet for place in range(len(chosen))]
    return go.Bar(
        x=[_share(count, chosen) for count in chosen],
        y=[place + _shift(before, lift) for place in range(len(chosen))],
        orientation="h",
        width=0.16 if before else 0.24,
        name=name,
        marker={"color": colour("background", theme) if before else inks, "line": {"color": inks, "width": 2}},
        hoverinfo="skip",
    )


def _shift(before: bool, two: bool) -> float:
    """Where the bar of a vote lies below the words of its option, in rows."""
    return 0.0 if before else 0.28 if two else 0.1


def _write(figure: go.Figure, x: float, y: float, text: str) -> None:
    figure.add_annotation(text=text, x=x, y=y, xanchor="left", xshift=6, showarrow=False, font={"size": 13})


def _label(figure: go.Figure, place: int, lines: Sequence[str], theme: Theme) -> None:
    figure.add_annotation(
        text="<br>".join(lines), x=0, y=place - 0.12, xanchor="left", yanchor="bottom", align="left", showarrow=False,
        font={"size": 14, "color": colour("text", theme)},
    )  # fmt: skip


def _lines(place: int, text: str, right: int | None) -> list[str]:
    """An option in at most two lines, after its letter; the right one is bold and has a sign."""
    found = wrap(f"{letter(place)}. {text}", LINE, max_lines=2, placeholder="…")
    found = [escape(line, LINE + 1) for line in found]
    return [f"<b>{line}</b>" for line in (f"{RIGHT} {found[0]}", *found[1:])] if place == right else found


def _share(count: int, chosen: Sequence[int]) -> float:
    return 100 * count / max(sum(chosen), 1)


def _said(count: int, chosen: Sequence[int]) -> str:
    return f"{count} ({_share(count, chosen):.0f}\u00a0%)"


def _name(vote: int, votes: Sequence[Any]) -> str:
    return VOTES[vote] if len(votes) > 1 else "Answers"


def _choice_values(options: Sequence[str], votes: Sequence[Sequence[int]], right: int | None) -> list[list[Any]]:
    head = ["Answer", *(f"{_name(vote, votes)} (students)" for vote in range(len(votes))), "Right"]
    rows = [
        [escape(text, 200), *(chosen[place] for chosen in votes), int(place == right)]
        for place, text in enumerate(options)
    ]
    return [head, *rows]


def number_dots(
    votes: Sequence[Sequence[float]],
    *,
    span: tuple[float, float],
    axis: str,
    truth: float | None,
    said: str,
    theme: Theme,
    own: float | None = None,
) -> go.Figure:
    """A dot for each answer over a number line, stacked where answers are alike; the first of two votes lies below.

    ``span``: the least and the greatest number; ``axis``: title of the line, with the unit; ``said``: the truth in
    words; ``own``: the reader's last answer.
    """
    figure = new_figure(theme)
    stacks = [_stacks(vote, span) for vote in votes]
    tall = max((height for stack in stacks for _, height in stack), default=1)
    for vote, stack in enumerate(stacks):
        before = len(votes) > 1 and vote == 0
        figure.add_trace(_dots(stack, theme, name=_name(vote, votes), before=before, tall=tall))
    if truth is not None:
        _mark(figure, truth, f"Truth: {escape(said)}", colour("text", theme), "solid", 0)
    if own is not None:
        _mark(figure, own, "You", colour("quiet", theme), "dot", 1)
    room = tall + max(1.0, 0.3 * tall)
    step = max(1, round(tall / 3))
    ticks = [*range(0, tall + 1, step)]
    below = [-tick for tick in ticks if tick] if len(votes) > 1 else []
    figure.update_layout(
        showlegend=len(votes) > 1,
        legend={"y": -0.34, "yanchor": "top"},
        margin={"l": 48, "r": 16, "t": 26 if own is None else 42, "b": 84 if len(votes) > 1 else 52},
        xaxis={"title": {"text": axis}, "range": padded(span)},
        yaxis={
            "title": {"text": "Students"}, "range": [-room if below else 0, room], "tickvals": [*below, *ticks],
            "ticktext": [str(abs(tick)) for tick in (*below, *ticks)], "zeroline": True,
            "zerolinecolor": colour("axis", theme),
        },
        meta={**figure.layout.meta, "values": _number_values(votes, axis)},
    )  # fmt: skip
    return figure


def padded(span: tuple[float, float]) -> list[float]:
    """The range of an axis that has some room at both ends of ``span``."""
    edge = 0.03 * (span[1] - span[0])
    return [span[0] - edge, span[1] + edge]


def _stacks(vote: Sequence[float], span: tuple[float, float]) -> list[tuple[float, int]]:
    """(number, height) of each dot: those of one part of the range stand on each other."""
    width = (span[1] - span[0]) / BINS
    seen: Counter[int] = Counter()
    found = []
    for value in sorted(vote):
        place = round((value - span[0]) / width)
        seen[place] += 1
        found.append((span[0] + place * width, seen[place]))
    return found


def _dots(stack: Sequence[tuple[float, int]], theme: Theme, *, name: str, before: bool, tall: int) -> go.Scatter:
    ink = colour("quiet" if before else "text", theme)
    return go.Scatter(
        x=[value for value, _ in stack],
        y=[(0.5 - height) if before else (height - 0.5) for _, height in stack],
        mode="markers",
        name=name,
        marker={"symbol": "circle-open" if before else "circle", "color": ink, "size": max(4, min(12, 150 / tall))},
        hoverinfo="skip",
        cliponaxis=False,
    )


def _mark(figure: go.Figure, x: float, text: str, ink: str, dash: str, line: int) -> None:
    """A line across the picture with its name over its upper end, in this line of names."""
    figure.add_shape(
        type="line", x0=x, x1=x, y0=0, y1=1, yref="paper", layer="above", line={"color": ink, "width": 2, "dash": dash}
    )
    figure.add_annotation(
        text=text, x=x, y=1, yref="paper", yanchor="bottom", yshift=16 * line, showarrow=False,
        font={"color": ink, "size": 13},
    )  # fmt: skip


def _number_values(votes: Sequence[Sequence[float]], axis: str) -> list[list[Any]]:
    rows: list[list[Any]] = [
        [_name(vote, votes), value, count]
        for vote, values in enumerate(votes)
        for value, count in sorted(Counter(values).items())
    ]
    return [["Vote", axis, "Students"], *rows]
