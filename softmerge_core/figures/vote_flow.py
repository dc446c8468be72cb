"""How a class moved from its first vote on a question to its second."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from softmerge_core.classroom.votes import STILL
from softmerge_core.experiments.words import letter
from softmerge_core.figures.laying import lay
from softmerge_core.figures.style import Theme, colour, escape, new_figure
from softmerge_core.figures.votes import RIGHT, VOTES, padded


def choice_flow(options: int, pairs: Sequence[tuple[int, int]], *, right: int | None, theme: Theme) -> go.Figure:
    """Lines from each option of the first vote to each of the second, as wide as there are students on that way."""
    figure = new_figure(theme)
    ways = Counter(pairs)
    most = max(ways.values(), default=1)
    for (before, after), count in sorted(ways.items()):
        ink = colour("text" if after == right else "quiet", theme)
        figure.add_trace(
            go.Scatter(
                x=[0, 1], y=[before, after], mode="lines", name=f"{letter(before)} to {letter(after)}",
                line={"color": ink, "width": 1.5 + 18 * count / most, "dash": "solid"}, opacity=0.75, hoverinfo="skip",
            )
        )  # fmt: skip
    lay(figure, annotations=[
        {
            "text": f"{f'{RIGHT} ' if place == right else ''}{letter(place)}: {sum(at[side] == place for at in pairs)}",
            "x": side, "y": place, "xanchor": "left" if side else "right", "xshift": 14 if side else -14,
            "showarrow": False, "font": {"size": 14},
        }
        for side in (0, 1) for place in range(options)
    ])  # fmt: skip
    rows = [[letter(before), letter(after), count] for (before, after), count in sorted(ways.items())]
    return _two_sides(figure, {"range": [options - 0.5, -0.5]}, [["First vote", "Second vote", "Students"], *rows], 76)


def number_flow(
    pairs: Sequence[tuple[float, float]],
    *,
    span: tuple[float, float],
    axis: str,
    truth: float,
    said: str,
    theme: Theme,
) -> go.Figure:
    """A line for each student from the first number to the second: solid where that is nearer to the truth."""
    figure = new_figure(theme)
    gains = [abs(before - truth) - abs(after - truth) for before, after in pairs]
    kinds = (("Nearer", "solid", 1), ("Farther away", "dash", -1), ("As before", "dot", 0))
    for name, dash, sign in kinds:
        own = [pair for pair, gain in zip(pairs, gains, strict=True) if (gain > STILL) - (gain < -STILL) == sign]
        points = [(x, y) for pair in own for x, y in ((0, pair[0]), (1, pair[1]), (None, None))]
        ink = colour("text" if sign > 0 else "quiet", theme)
        figure.add_trace(
            go.Scatter(
                x=[x for x, _ in points], y=[y for _, y in points], mode="lines+markers", name=f"{name}: {len(own)}",
                line={"color": ink, "width": 1.6, "dash": dash}, marker={"size": 5, "color": ink}, hoverinfo="skip",
            )
        )  # fmt: skip
    ink = colour("text", theme)
    figure.add_shape(type="line", x0=0, x1=1, y0=truth, y1=truth, layer="above", line={"color": ink, "width": 3})
    figure.add_annotation(
        text=f"Truth: {escape(said)}", x=0.5, y=truth, yanchor="bottom", showarrow=False,
        font={"color": ink, "size": 13}, bgcolor=colour("background", theme),
    )  # fmt: skip
    figure.update_layout(showlegend=True, legend={"y": -0.12, "yanchor": "top"})
    rows = [list(pair) for pair in pairs]
    sides = _two_sides(figure, {"title": {"text": axis}, "range": padded(span)}, [[*VOTES], *rows], 56)
    return sides.update_layout(margin={"b": 76, "r": 40})


def _two_sides(figure: go.Figure, axis: dict[str, Any], values: list[list[Any]], edge: int) -> go.Figure:
    """The layout of a picture with the first vote on its left side and the second on its right."""
    plain = {"showgrid": False, "ticks": "", "showline": False, "zeroline": False}
    if "title" not in axis:
        axis = {**axis, **plain, "showticklabels": False}
        figure.update_layout(showlegend=False)
    return figure.update_layout(
        margin={"l": edge, "r": 76, "t": 12, "b": 40},
        xaxis={**plain, "range": [-0.04, 1.04], "tickvals": [0, 1], "ticktext": list(VOTES)},
        yaxis=axis,
        meta={**figure.layout.meta, "values": values},
    )
