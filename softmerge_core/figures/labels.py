"""Labels beside what they name, placed so that none overlap: at the ends of lines, and above stages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import plotly.graph_objects as go

from softmerge_core.events import Event, Progress, Stage
from softmerge_core.experiments.merge.kept import Kept
from softmerge_core.experiments.words import clipped
from softmerge_core.figures.laying import Mark, band, lay, upright
from softmerge_core.figures.style import Theme, colour, escape

_LINE = 17  # px: the height of one line of text
_LETTER = 6.6  # px: the average width of a letter at 12 px
_PLOT = 300  # px: the width of the narrowest plot that is not a phone's
_ROW = 15  # px: the height of a row of stage titles
KEPT = ", kept"  # behind the title of the stage whose gates were kept
_ENDS = "_softmerge_ends"  # where a figure keeps its labels at the ends of lines


@dataclass(frozen=True)
class EndLabel:
    """A label at the right end of a line, at height ``y`` (axis units): ``text``, or ``short`` on a phone."""

    y: float
    text: str
    short: str
    color: str


def end_labels(
    figure: go.Figure, labels: Sequence[EndLabel], *, low: float, high: float, plot_height: float, clear: int = 4
) -> None:
    """Write ``labels`` at the right of the plot, pushed apart, ``clear`` px from it; the y axis spans [low, high]."""
    narrow = dict(figure.layout.meta.get("narrow", {}))
    first, background = len(figure.layout.annotations), figure_background(figure)
    vars(figure)[_ENDS] = _Ends(tuple(labels), first, plot_height, clear)
    beside = {"showarrow": False, "bgcolor": background, "xref": "paper", "x": 1, "xanchor": "left", "xshift": clear}
    notes = [
        {"text": label.text, "font": {"color": label.color}, "y": place, "yanchor": "middle", "borderpad": 0, **beside}
        for place, label in zip(_places(labels, low, high, plot_height), labels, strict=True)
    ]
    lay(figure, annotations=notes)
    narrow |= {f"annotations.{index}.text": label.short for index, label in enumerate(labels, first)}
    wide, brief = _right_margins(labels)
    figure.update_layout(margin={"r": wide}, meta={**figure.layout.meta, "narrow": {**narrow, "margin.r": brief}})


@dataclass(frozen=True)
class _Ends:
    """The labels at the ends of a figure's lines; ``first``: the place of the first among its annotations."""

    labels: tuple[EndLabel, ...]
    first: int
    plot_height: float
    clear: int


def end_labels_of(figure: go.Figure) -> tuple[EndLabel, ...] | None:
    """The labels that ``end_labels`` wrote into a figure; None where it wrote none."""
    ends = vars(figure).get(_ENDS)
    return ends.labels if ends else None


def move_end_labels(figure: go.Figure, one_more: EndLabel, *, low: float, high: float) -> None:
    """Write one more label beside those of ``end_labels`` and push all apart; the y axis now spans [low, high]."""
    ends: _Ends = vars(figure)[_ENDS]
    *places, own = _places([*ends.labels, one_more], low, high, ends.plot_height)
    for number, place in enumerate(places, ends.first):
        figure.layout.annotations[number].y = place
    margins = figure.layout.margin.r, figure.layout.meta["narrow"]["margin.r"]
    end_labels(figure, [replace(one_more, y=own)], low=low, high=high, plot_height=ends.plot_height, clear=ends.clear)
    wide, brief = (max(pair) for pair in zip(margins, _right_margins([one_more]), strict=True))
    narrow = {**figure.layout.meta["narrow"], "margin.r": brief}
    figure.update_layout(margin={"r": wide}, meta={**figure.layout.meta, "narrow": narrow})


def _places(labels: Sequence[EndLabel], low: float, high: float, plot_height: float) -> list[float]:
    """The heights of labels that lie apart within [low, high]."""
    gap = (high - low) * _LINE / plot_height
    return push_apart([label.y for label in labels], gap, low + gap / 2, high - gap / 2)


def _right_margins(labels: Sequence[EndLabel]) -> tuple[int, int]:
    """The room (px) that labels need in a window and on a phone."""
    return _margin([label.text for label in labels]), _margin([label.short for label in labels])


def _margin(texts: Sequence[str]) -> int:
    """The width (px) that the longest text needs."""
    return 16 + round(1.15 * _LETTER * max(map(len, texts), default=0))


def figure_background(figure: go.Figure) -> str:
    """The background colour of a figure's template."""
    return str(figure.layout.template.layout.plot_bgcolor)


def last_step(events: Sequence[Event]) -> int:
    """The step at which the run will end, as far as that is known: the right end of a time axis."""
    totals = [event.total for event in events if isinstance(event, Progress)]
    return max([1, *totals[-1:], *(event.step for event in events[-1:])])


def by_stage(events: Sequence[Event]) -> list[list[Event]]:
    """The events split into stages; events before the first stage form a part of their own."""
    runs: list[list[Event]] = [[]]
    for event in events:
        if isinstance(event, Stage):
            runs.append([])
        runs[-1].append(event)
    return [run for run in runs if run]


def joined(runs: Sequence[Sequence[float]]) -> list[float | None]:
    """The numbers of several stages one after another, with a gap between them, so that no line is drawn across it."""
    flat = [value for run in runs if run for value in (*run, None)]
    return flat[:-1]


def mark_stages(
    figure: go.Figure,
    events: Sequence[Event],
    theme: Theme,
    *,
    top: int,
    narrow_top: int = 0,
    narrow_plot: int = 240,
    kept: Kept | None = None,
) -> None:
    """Draw a thin line where each stage but the first begins, and write each stage's title above it.

    The stage whose gates were ``kept`` has a band and a bold title that says so. The top margin becomes ``top`` px
    (on a phone ``narrow_top`` more) plus the height of the rows of titles, which are more on a phone where the plot is
    only ``narrow_plot`` px wide.
    """
    stages = [event for event in events if isinstance(event, Stage)]
    end = last_step(events)
    ends = [*(stage.step for stage in stages[1:]), end]
    spans = [(stage.step / end, stop / end) for stage, stop in zip(stages, ends, strict=False)]
    won = [kept is not None and stage.stage == kept.winner for stage in stages]
    titles = [clipped(stage.title, 24) + KEPT * mark for stage, mark in zip(stages, won, strict=True)]
    rows, brief = (_label_rows(spans, titles, width) for width in (_PLOT, narrow_plot))
    narrow = dict(figure.layout.meta.get("narrow", {}))
    first, notes = len(figure.layout.annotations), list[Mark]()
    marks = [upright(stage.step, {"color": colour("axis", theme), "width": 1}) for stage in stages[1:]]
    for stage, stop, span, row, small, title, mark in zip(stages, ends, spans, rows, brief, titles, won, strict=False):
        if mark:
            look = {"fillcolor": colour("soft", theme), "opacity": 0.1, "line": {"width": 0}, "layer": "below"}
            marks.append(band(stage.step, stop, **look))
        text = escape(title, 24 + len(KEPT))
        place = f"annotations.{first + len(notes)}"
        on_phone = {**_over(span, end, title, narrow_plot), "yshift": 2 + _ROW * small}
        narrow |= {f"{place}.{name}": value for name, value in on_phone.items()}
        notes.append({
            "text": f"<b>{text}</b>" if mark else text, "showarrow": False,
            "font": {"size": 12, "color": colour("text" if mark else "quiet", theme)},
            **_over(span, end, title, _PLOT), "yref": "paper", "y": 1, "yanchor": "bottom", "yshift": 2 + _ROW * row,
        })  # fmt: skip
    lay(figure, shapes=marks, annotations=notes)
    narrow["margin.t"] = top + narrow_top + (_ROW * (1 + max(brief)) if brief else 0)
    top += _ROW * (1 + max(rows)) if rows else 0
    figure.update_layout(margin={"t": top}, meta={**figure.layout.meta, "narrow": narrow})


def _over(span: tuple[float, float], end: int, title: str, plot: float) -> dict[str, Any]:
    """Where the title of a stage stands: centred over its ``span``, or ending with it."""
    if _centred(span, title, plot):
        return {"x": sum(span) / 2 * end, "xanchor": "center"}
    return {"x": span[1] * end, "xanchor": "right"}


def _centred(span: tuple[float, float], title: str, plot: float) -> bool:
    """Whether a title centred over this part of the width would stay within the plot on the right."""
    return sum(span) / 2 * plot + _half(title) <= plot


def _half(title: str) -> float:
    """Half the width of a title, in px."""
    return _LETTER * min(len(title), 24 + len(KEPT)) / 2 + 4


def _label_rows(spans: Sequence[tuple[float, float]], titles: Sequence[str], plot: float) -> list[int]:
    """The lowest row in which each title, on its part of a ``plot`` of that width (px), overlaps none before it."""
    taken: list[float] = []  # for each row, the end of its last title in px
    rows = []
    for span, text in zip(spans, titles, strict=True):
        half = _half(text)
        left = sum(span) / 2 * plot - half if _centred(span, text, plot) else span[1] * plot - 2 * half
        row = next((index for index, end in enumerate(taken) if end <= left), len(taken))
        taken[row : row + 1] = [left + 2 * half]
        rows.append(row)
    return rows


def push_apart(positions: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """The ``positions``, moved as little as needed to lie ``gap`` apart within [low, high], in the same order.

    If there is not enough room, they are spread evenly over the whole range.
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
    """Let overlapping labels form blocks, each centred on its labels (pool adjacent violators), and clip the result."""
    blocks: list[tuple[float, int]] = []  # (sum of shifted values, number)
    for rank, value in enumerate(values):
        blocks.append((min(max(value, low), high) - rank * gap, 1))
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            (one, n), (two, m) = blocks[-2:]
            blocks[-2:] = [(one + two, n + m)]
    shifted = [total / n for total, n in blocks for _ in range(n)]
    last = len(values) - 1
    return [min(max(value, low), high - last * gap) + rank * gap for rank, value in enumerate(shifted)]
