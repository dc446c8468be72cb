"""Single test samples as pictures, with what networks say of each: tiles in rows, or points in the plane."""

from collections.abc import Sequence
from math import isfinite

import numpy as np
import plotly.graph_objects as go

from softmerge_core.experiments.merge.inside import Answer, Shown
from softmerge_core.figures.boundary import SYMBOLS
from softmerge_core.figures.laying import lay
from softmerge_core.figures.samples import as_pixels, png
from softmerge_core.figures.style import GLYPHS, Theme, class_colours, colour, escape, method_style, new_figure

COLUMNS = 3  # fit a phone, and half of a window
TILE, AROUND = 172, 8  # px: of a row of tiles, and above and below all
LINE = 16  # px of a line of text
PICTURE = (0.06, 0.5)  # from where to where in its tile a picture reaches, 0 at the top
SHARP = 96  # px: small pictures are enlarged to about that, so that no browser blurs them
MARKED = 9  # sources whose marks fit under a tile
RIGHT, WRONG = "✓", "✗"


def answers_height(count: int) -> int:
    """Height in px for so many tiles."""
    return 2 * AROUND + TILE * max(1, -(-count // COLUMNS))


def answers_figure(inputs: np.ndarray | None, shown: Sequence[Shown], *, theme: Theme) -> go.Figure | None:
    """A tile for each sample: its picture, its true class, the two answers, and a mark for each source.

    ``inputs`` [M, C, H, W] (images), [M, C, L] (lines) or [M, L] (numbers in their order); None: without pictures.
    None without samples.
    """
    if not shown:
        return None
    figure, rows = new_figure(theme), -(-len(shown) // COLUMNS)
    if inputs is not None and inputs.ndim == 4:
        _add_images(figure, inputs)
    elif inputs is not None:
        _add_lines(figure, inputs.reshape(len(inputs), -1, inputs.shape[-1])[:, 0], theme)
    for place in range(4):
        _add_text(figure, shown, place, theme)
    _add_hover(figure, shown)
    axis = {"visible": False, "fixedrange": True}
    figure.update_layout(
        margin={"l": 2, "r": 2, "t": AROUND, "b": AROUND}, showlegend=False,
        xaxis={"range": [0, COLUMNS], **axis}, yaxis={"range": [rows, 0], **axis},
        meta={**figure.layout.meta, "values": values_of(shown)},
    )  # fmt: skip
    return figure


def plane_figure(
    points: np.ndarray, labels: np.ndarray, changed: Sequence[int], shown: Sequence[Shown], *, theme: Theme
) -> go.Figure | None:
    """All test samples [N, 2] small, those that are ``changed`` large, with numbers at those that are ``shown``."""
    if not shown:
        return None
    figure, colours = new_figure(theme), class_colours(theme)
    inside = np.isin(np.arange(len(points)), changed)
    for label in np.unique(labels).tolist():
        hue, symbol = colours[label % len(colours)], SYMBOLS[label % len(SYMBOLS)]
        for chosen, size, opacity, what in ((~inside, 4, 0.35, ""), (inside, 9, 1.0, ", changed")):
            x, y = points[chosen & (labels == label)].T.round(4).tolist()
            figure.add_scatter(
                x=x, y=y, mode="markers", name=f"class {label}{what}", showlegend=not what, opacity=opacity,
                marker={"color": hue, "symbol": symbol, "size": size}, hoverinfo="skip",
            )  # fmt: skip
    places = [each.place for each in shown]
    figure.add_scatter(
        x=points[places, 0].round(4).tolist(), y=points[places, 1].round(4).tolist(), mode="markers+text",
        text=[str(number) for number in range(1, len(shown) + 1)], textposition="top center", name="Shown",
        textfont={"color": colour("text", theme), "size": 12}, showlegend=False,
        marker={"symbol": "circle-open", "size": 15, "color": colour("text", theme), "line": {"width": 1.5}},
        hovertemplate=[f"{told(each)}<extra></extra>" for each in shown],
    )  # fmt: skip
    figure.update_layout(
        margin={"t": 40, "r": 12}, legend={"itemsizing": "constant"},
        xaxis={"title": {"text": "Feature 1"}, "showgrid": False},
        yaxis={"title": {"text": "Feature 2"}, "showgrid": False},
        meta={**figure.layout.meta, "values": values_of(shown)},
    )  # fmt: skip
    return figure


def glyph_of(network: str, theme: Theme) -> str:
    """The mark that stands for a network in a line of text."""
    return GLYPHS.get(method_style(network, theme).marker.removesuffix("-open"), "●")


def values_of(shown: Sequence[Shown]) -> list[list[str | int | float]]:
    """The table of what is drawn: for each sample the true class, and each network's answer and confidence (%)."""
    networks = [shown[0].own, shown[0].other, *shown[0].sources]
    titles = [text for each in networks for text in (_upper(each.title), "Confidence (%)")]
    rows: list[list[str | int | float]] = [["Test sample", "True class", *titles]]
    for each in shown:
        answers = (each.own, each.other, *each.sources)
        cells = [cell for answer in answers for cell in (escape(answer.said), _percent(answer))]
        rows.append([each.place + 1, escape(each.truth), *cells])
    return rows


def told(each: Shown) -> str:
    """All that is known of a sample, in lines for a hover label."""
    lines = [f"Test sample {each.place + 1:,}: {escape(each.truth)}"]
    for answer in (each.own, each.other, *each.sources):
        mark = RIGHT if answer.right else WRONG
        lines.append(f"{mark} {escape(_upper(answer.title))}: {escape(answer.said)}{_sure(answer)}")
    return "<br>".join(lines)


def _add_images(figure: go.Figure, inputs: np.ndarray) -> None:
    pixels = as_pixels(inputs)
    times = max(1, SHARP // max(pixels.shape[1:3]))
    top, bottom = PICTURE
    look = {
        "xref": "x", "yref": "y", "sizex": 0.9, "sizey": bottom - top, "xanchor": "center", "yanchor": "middle",
        "sizing": "contain", "layer": "above",
    }  # fmt: skip
    images = [
        {
            "source": png(picture.repeat(times, 0).repeat(times, 1)),
            "x": number % COLUMNS + 0.5,
            "y": number // COLUMNS + (top + bottom) / 2,
            **look,
        }
        for number, picture in enumerate(pixels)
    ]
    lay(figure, images=images)


def _add_lines(figure: go.Figure, lines: np.ndarray, theme: Theme) -> None:
    """Each sample's numbers as a line in its tile, all at one scale."""
    numbers = lines.astype(np.float64)
    low, high = float(numbers.min()), float(numbers.max())
    top, bottom = PICTURE
    heights = bottom - (bottom - top) * (numbers - low) / (high - low if high > low else 1)
    across = np.linspace(0.08, 0.92, numbers.shape[1])
    xs, ys = list[float | None](), list[float | None]()
    for number, line in enumerate(heights):
        row, column = divmod(number, COLUMNS)
        xs += [*(column + across).round(4).tolist(), None]
        ys += [*(row + line).round(4).tolist(), None]
    figure.add_scatter(
        x=xs, y=ys, mode="lines", name="Samples", line={"color": colour("text", theme), "width": 1.5}, hoverinfo="skip"
    )


def _add_text(figure: go.Figure, shown: Sequence[Shown], line: int, theme: Theme) -> None:
    """One line of text under each picture: the true class, the two answers, or the marks of the sources."""
    first = shown[0]
    hues = [
        colour("text", theme),
        *(method_style(answer.network, theme).color for answer in (first.own, first.other)),
        colour("quiet", theme),
    ]
    texts = [
        f"<b>{escape(each.truth, 18)}</b>"
        if line == 0
        else _marks(each.sources)
        if line == 3
        else _answer((each.own, each.other)[line - 1], theme)
        for each in shown
    ]
    figure.add_scatter(
        x=[number % COLUMNS + 0.5 for number in range(len(shown))],
        y=[number // COLUMNS + PICTURE[1] + (0.7 + line) * LINE / TILE for number in range(len(shown))],
        mode="text", text=texts, hoverinfo="skip", name=("True class", "Merged", "Other", "Sources")[line],
        textfont={"color": hues[line], "size": 13 if line == 0 else 12},
    )  # fmt: skip


def _answer(answer: Answer, theme: Theme) -> str:
    """ "● ✓ Shirt 87 %": the mark of the network, right or wrong, its answer and its confidence."""
    sure = f" {100 * answer.sure:.0f}%" if isfinite(answer.sure) else ""
    return f"{glyph_of(answer.network, theme)} {RIGHT if answer.right else WRONG} {escape(answer.said, 11)}{sure}"


def _marks(sources: Sequence[Answer]) -> str:
    """A mark for each source, in their order; of very many how many are right."""
    if len(sources) > MARKED:
        return f"{sum(answer.right for answer in sources)} of {len(sources)} sources right"
    gap = "\u2004" if len(sources) > 4 else "\u2003"
    return gap.join(f"{number}{RIGHT if answer.right else WRONG}" for number, answer in enumerate(sources, 1))


def _add_hover(figure: go.Figure, shown: Sequence[Shown]) -> None:
    figure.add_scatter(
        x=[number % COLUMNS + 0.5 for number in range(len(shown))],
        y=[number // COLUMNS + 0.45 for number in range(len(shown))],
        mode="markers", name="Samples", marker={"size": 90, "opacity": 0, "symbol": "square"},
        hovertemplate=[f"{told(each)}<extra></extra>" for each in shown],
    )  # fmt: skip


def _percent(answer: Answer) -> float | str:
    return round(100 * answer.sure, 2) if isfinite(answer.sure) else ""


def _sure(answer: Answer) -> str:
    return f", {100 * answer.sure:.0f}\u00a0%" if isfinite(answer.sure) else ""


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
