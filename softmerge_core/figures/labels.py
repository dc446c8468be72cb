"""Labels that lie beside what they name and never on each other: at the ends of lines, and over stages."""

from collections.abc import Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from softmerge_core.events import Event, Progress, Stage
from softmerge_core.figures.style import Theme, colour, escape

_LINE = 17  # px: one line of text
_LETTER = 6.6  # px: a letter's usual width at 12 px
_PLOT = 240  # px: the narrowest plot
_ROW = 15  # px: a row of stage titles


@dataclass(frozen=True)
class EndLabel:
    """``text`` (on a phone ``short``) to stand at height ``y`` (axis units) at the right end of a line."""

    y: float
    text: str
    short: str
    color: str


def end_labels(figure: go.Figure, labels: Sequence[EndLabel], *, low: float, high: float, plot_height: float) -> None:
    """Write ``labels`` right of the plot, pushed apart; the y axis spans [low, high]."""
    gap = (high - low) * _LINE / plot_height
    places = push_apart([label.y for label in labels], gap, low + gap / 2, high - gap / 2)
    narrow = dict(figure.layout.meta.get("narrow", {}))
    for place, label in zip(places, labels, strict=True):
        index = len(figure.layout.annotations)
        figure.add_annotation(
            text=label.text, font={"color": label.color}, showarrow=False, bgcolor=figure_background(figure),
            xref="paper", x=1, xanchor="left", xshift=4, y=place, yanchor="middle", borderpad=0,
        )  # fmt: skip
        narrow[f"annotations.{index}.text"] = label.short
    wide, brief = _margin([label.text for label in labels]), _margin([label.short for label in labels])
    figure.update_layout(margin={"r": wide}, meta={**figure.layout.meta, "narrow": {**narrow, "margin.r": brief}})


def _margin(texts: Sequence[str]) -> int:
    """The room (px) that the longest text needs."""
    return 16 + round(1.15 * _LETTER * max(map(len, texts), default=0))


def figure_background(figure: go.Figure) -> str:
    """The background colour of a figure's template."""
    return str(figure.layout.template.layout.plot_bgcolor)


def last_step(events: Sequence[Event]) -> int:
    """The step at which the run will end, as far as it is known: the right end of a time axis."""
    totals = [event.total for event in events if isinstance(event, Progress)]
    return max([1, *totals[-1:], *(event.step for event in events[-1:])])


def by_stage(events: Sequence[Event]) -> list[list[Event]]:
    """The events in runs of one stage each; what comes before the first stage is a run of its own."""
    runs: list[list[Event]] = [[]]
    for event in events:
        if isinstance(event, Stage):
            runs.append([])
        runs[-1].append(event)
    return [run for run in runs if run]


def joined(runs: Sequence[Sequence[float]]) -> list[float | None]:
    """Numbers of several stages after each other, with a gap between, so that no line is drawn across."""
    flat = [value for run in runs if run for value in (*run, None)]
    return flat[:-1]


def mark_stages(figure: go.Figure, events: Sequence[Event], theme: Theme, *, top: int, narrow_top: int = 0) -> None:
    """A thin line where each stage but the first begins, and each stage's title above its stretch.

    The top margin becomes ``top`` px (on a phone ``narrow_top`` more) and what the rows of titles need.
    """
    stages = [event for event in events if isinstance(event, Stage)]
    end = last_step(events)
    ends = [*(stage.step for stage in stages[1:]), end]
    middles = [(stage.step + stop) / 2 / end for stage, stop in zip(stages, ends, strict=False)]
    rows = _label_rows(middles, [stage.title for stage in stages])
    for stage in stages[1:]:
        figure.add_vline(x=stage.step, line={"color": colour("axis", theme), "width": 1})
    for stage, stop, row in zip(stages, ends, rows, strict=False):
        figure.add_annotation(
            text=escape(stage.title, 24), showarrow=False, font={"size": 12, "color": colour("quiet", theme)},
            x=(stage.step + stop) / 2, xanchor="center", yref="paper", y=1, yanchor="bottom",
            yshift=2 + _ROW * row,
        )  # fmt: skip
    top += _ROW * (1 + max(rows)) if rows else 0
    narrow = {**figure.layout.meta.get("narrow", {}), "margin.t": top + narrow_top}
    figure.update_layout(margin={"t": top}, meta={**figure.layout.meta, "narrow": narrow})


def _label_rows(middles: Sequence[float], titles: Sequence[str]) -> list[int]:
    """The lowest row in which each title, centred on its share of the width, touches none before it."""
    taken: list[float] = []  # per row: where its last title ends, px
    rows = []
    for middle, text in zip(middles, titles, strict=True):
        half = _LETTER * min(len(text), 24) / 2 + 4
        left = middle * _PLOT - half
        row = next((index for index, end in enumerate(taken) if end <= left), len(taken))
        taken[row : row + 1] = [middle * _PLOT + half]
        rows.append(row)
    return rows


def push_apart(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """``positions`` moved to lie ``gap`` apart within [low, high], as little as needed and in their order.

    Where there is no room for all, they are spread evenly over the whole range.
    """
    count = len(positions)
    order = sorted(range(count), key=lambda index: (positions[index], index))
    if count and (count - 1) * gap >= high - low:
        spread = [low + (high - low) * rank / max(count - 1, 1) for rank in range(count)]
    else:
        spread = _settle([positions[index] for index in order], gap, low, high)
    result = [0.0] * count
    for rank, index in enumerate(order):
        result[index] = spread[rank]
    return result


def _settle(values: list[float], gap: float, low: float, high: float) -> list[float]:
    """Touching labels form blocks, each centred on what it holds (pool adjacent violators), then clipped."""
    blocks: list[tuple[float, int]] = []  # (sum of shifted values, number)
    for rank, value in enumerate(values):
        blocks.append((min(max(value, low), high) - rank * gap, 1))
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            (one, n), (two, m) = blocks[-2:]
            blocks[-2:] = [(one + two, n + m)]
    shifted = [total / n for total, n in blocks for _ in range(n)]
    last = len(values) - 1
    return [min(max(value, low), high - last * gap) + rank * gap for rank, value in enumerate(shifted)]
