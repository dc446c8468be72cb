"""The steps at which the settings of a run were changed, marked in its curves."""

from collections.abc import Sequence

import plotly.graph_objects as go

from softmerge_core.figures.style import Theme, colour, escape

TOLD = 6  # changes that have their words; of more only lines are drawn


def mark_changes(figure: go.Figure, changes: Sequence[tuple[int, str]], theme: Theme) -> go.Figure:
    """Draw a broken line at the step of each of ``changes``, (step, words), with the words along it."""
    line = {"color": colour("quiet", theme), "width": 1, "dash": "dash"}
    for step, _ in changes:
        figure.add_vline(x=step, line=line, name="change")
    by_step: dict[int, list[str]] = {}
    for step, words in changes[:TOLD]:
        by_step.setdefault(step, []).append(escape(words, 60))
    for step, told in by_step.items():
        figure.add_annotation(
            text="<br>".join(told), textangle=-90, showarrow=False, x=step, xanchor="left", align="left",
            yref="paper", y=0.02, yanchor="bottom", font={"size": 11, "color": colour("quiet", theme)}, name="change",
        )  # fmt: skip
    return figure
