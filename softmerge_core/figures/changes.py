"""The steps at which the settings of a run were changed, marked in its curves."""

from collections.abc import Sequence

import plotly.graph_objects as go

from softmerge_core.figures.laying import lay, upright
from softmerge_core.figures.style import Theme, colour, escape

TOLD = 6  # changes that have their words; of more only lines are drawn


def mark_changes(figure: go.Figure, changes: Sequence[tuple[int, str]], theme: Theme) -> go.Figure:
    """Draw a broken line at the step of each of ``changes``, (step, words), with the words along it."""
    line = {"color": colour("quiet", theme), "width": 1, "dash": "dash"}
    lay(figure, shapes=[upright(step, line, name="change") for step, _ in changes])
    by_step: dict[int, list[str]] = {}
    for step, words in changes[:TOLD]:
        by_step.setdefault(step, []).append(escape(words, 60))
    look = {
        "textangle": -90, "showarrow": False, "xanchor": "left", "align": "left", "yref": "paper", "y": 0.02,
        "yanchor": "bottom", "font": {"size": 11, "color": colour("quiet", theme)}, "name": "change",
    }  # fmt: skip
    lay(figure, annotations=[{"text": "<br>".join(told), "x": step, **look} for step, told in by_step.items()])
    return figure
