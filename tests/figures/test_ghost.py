"""A pinned run behind a picture: dotted and hollow, never mistaken for the run shown, and named."""

import itertools
from typing import Any

import plotly.graph_objects as go
import pytest

from softmerge_core.events import Evaluation, Event, Score
from softmerge_core.experiments.compare.spec import CompareSpec
from softmerge_core.experiments.compare.words import report
from softmerge_core.figures.accuracy import accuracy_figure, is_merge_line
from softmerge_core.figures.comparison import comparison_figure, is_dot
from softmerge_core.figures.ghost import Ghost, with_ghost
from softmerge_core.figures.style import THEMES, Theme, colour, palette


def merge(*values: float, theme: Theme = "light") -> go.Figure:
    soft: list[Event] = [
        Evaluation(step=10 * place, series="soft", split="validation", accuracy=value, loss=1.0)
        for place, value in enumerate(values)
    ]
    level = Evaluation(step=0, series="average", split="validation", accuracy=0.5, loss=1.0)
    figure = accuracy_figure([level, *soft], theme=theme)
    assert figure is not None
    return figure


def ghosts(figure: go.Figure) -> list[Any]:
    return [trace for trace in figure.data if trace.name.endswith(", pinned")]


@pytest.mark.parametrize("theme", THEMES)
def test_the_line_of_a_pinned_run_is_dotted_behind_the_one_shown_and_named(theme: Theme) -> None:
    alone = merge(0.5, 0.6, theme=theme)
    figure = with_ghost(
        merge(0.5, 0.6, theme=theme), Ghost(merge(0.2, 0.35, theme=theme), "<b>A&B", is_merge_line), theme
    )
    (ghost,) = ghosts(figure)  # and not the level line of its average
    assert figure.data[0] is ghost
    assert (list(ghost.x), list(ghost.y), ghost.line.dash) == ([0, 10], [20, 35], "dot")
    assert ghost.line.color == colour("quiet", theme)
    assert ghost.line.color in palette(theme)
    assert ghost.marker.symbol.endswith("-open")
    assert figure.layout.annotations[-1].text == "┈ &lt;b&gt;A&amp;B"
    assert figure.layout.yaxis.range[0] < 20 < alone.layout.yaxis.range[0]
    places = sorted(note.y for note in figure.layout.annotations)
    assert all(b - a > 1 for a, b in itertools.pairwise(places)), "labels do not overlap"


def test_what_has_no_line_of_the_pinned_run_stays_as_it_was() -> None:
    before, after = merge(0.5, 0.6), with_ghost(merge(0.5, 0.6), Ghost(go.Figure(), "empty"), "light")
    assert after.to_plotly_json() == before.to_plotly_json()


def rows(**accuracies: float) -> go.Figure:
    scores = [
        Score(step=1, series=name, accuracy=value, loss=1.0, calibration=0.1, validation=0.5, took=1.0, memory=2.0)
        for name, value in accuracies.items()
    ]
    figure = comparison_figure(list(report(CompareSpec(), scores)["rows"]), theme="light")
    assert figure is not None
    return figure


def test_dots_of_a_comparison_are_hollow_in_their_rows_and_keep_their_colours() -> None:
    shown, pinned = rows(average=0.8, soft=0.85), rows(average=0.5, soft=0.9, ties=0.6)
    colours = {trace.name: trace.marker.color for trace in shown.data}
    figure = with_ghost(shown, Ghost(pinned, "before", is_dot), "light")
    found = {trace.name.removesuffix(", pinned"): trace for trace in ghosts(figure)}
    assert found.keys() == {"Plain average", "Soft merge"}, "a method that is not shown has no row"
    assert found["Soft merge"].x == (90.0,)
    assert found["Soft merge"].marker.symbol == "circle-open"
    assert {name: trace.marker.color for name, trace in found.items()} == {name: colours[name] for name in found}
    assert all(trace.opacity < 1 and not trace.error_x.visible for trace in found.values())
    assert figure.layout.xaxis.title.text.endswith("Hollow: before, pinned")
    assert figure.layout.meta["narrow"]["xaxis.title.text"].endswith("Hollow: before, pinned")
    assert figure.layout.xaxis.range[0] <= 50


def test_a_figure_with_a_legend_names_the_pinned_run_there() -> None:
    def drawn() -> go.Figure:
        figure = go.Figure(layout={"margin": {"t": 10}, "meta": {"theme": "light"}, "yaxis": {"range": [0, 1]}})
        return figure.add_scatter(x=[0, 1], y=[0, 1], name="line", mode="lines", hovertemplate="%{y}")

    figure = with_ghost(drawn(), Ghost(drawn(), "before"), "light")
    entry = figure.data[-1]
    assert (entry.name, entry.showlegend, entry.line.dash) == ("before, pinned", True, "dot")
    assert not figure.data[0].showlegend
    assert figure.layout.margin.t > 10
