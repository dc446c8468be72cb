"""Accuracy against the number of labelled samples, as data."""

from itertools import pairwise
from math import log10
from typing import Any

import plotly.graph_objects as go
import pytest

from softmerge_core.events import BEST, Score
from softmerge_core.figures.label_counts import label_counts_figure, label_counts_height
from softmerge_core.figures.style import THEMES, Theme, method_style
from softmerge_core.statistics import Measured, bar, pack

NUMBERS = (20, 100, 400)


def score(series: str, right: int, labels: int = 0, seed: int = 0) -> Score:
    correct = pack(number < right for number in range(1000))
    return Score(step=1, series=series, labels=labels, seed=seed, accuracy=right / 1000, correct=correct)


def line(series: str, *rights: int, seeds: int = 3) -> list[Score]:
    return [
        score(series, right + 10 * seed, n, seed)
        for n, right in zip(NUMBERS, rights, strict=False)
        for seed in range(seeds)
    ]


LEVEL = [score("average", 800), score("ensemble", 880), score("median", 790), score("ties", 100)]
SCORES = [*LEVEL, *line("soft", 810, 830, 850), *line("fine_tuning", 700, 800, 900), *line(BEST, 780, 790, 790)]


def figure_of(scores: list[Score], theme: Theme = "light", **named: Any) -> go.Figure:
    found = label_counts_figure(scores, theme=theme, numbers=NUMBERS, **named)
    assert found is not None
    return found


def traces(scores: list[Score]) -> dict[str, Any]:
    return {trace.name: trace for trace in figure_of(scores).data}


def test_there_is_nothing_before_the_first_method_with_few_labels() -> None:
    assert label_counts_figure([], theme="light", numbers=NUMBERS) is None
    assert label_counts_figure([*LEVEL, *line(BEST, 780, 790, 790)], theme="light", numbers=NUMBERS) is None


def test_a_point_is_the_mean_of_its_seeds_with_their_interval() -> None:
    soft, cell = traces(SCORES)["Soft merge"], [one for one in SCORES if one.series == "soft" and one.labels == 100]
    assert list(soft.y) == pytest.approx([82, 84, 86])
    expected = bar(Measured(tuple(one.accuracy for one in cell), 0, tuple(one.correct for one in cell)))
    assert expected is not None
    assert soft.error_y.array[1] == pytest.approx(100 * expected.high - 84)
    assert soft.error_y.arrayminus[1] == pytest.approx(84 - 100 * expected.low)


def test_the_note_counts_the_seeds_of_methods_alone() -> None:
    figure = figure_of([*LEVEL, *line("soft", 810, 830, 850, seeds=1), *line(BEST, 780, 790, 790)])
    assert ">Bars: 95\u00a0% interval, 1,000 test samples<" in figure.layout.xaxis.title.text
    assert "1,000 test samples and 3 seeds<" in figure_of(SCORES).layout.xaxis.title.text


def test_points_stand_side_by_side_near_their_true_number() -> None:
    found = traces(SCORES)
    first = [found[name].x[0] for name in ("Fine-tuned merge", "Soft merge", "Best source")]
    assert first == sorted(set(first))
    assert max(abs(log10(x / 20)) for x in first) < 0.1
    assert [text for text, _ in found["Soft merge"].customdata] == ["20 labels", "100 labels", "400 labels"]


def test_the_axis_has_the_true_numbers() -> None:
    axis = figure_of(SCORES).layout.xaxis
    assert (axis.type, tuple(axis.tickvals), tuple(axis.ticktext)) == ("log", NUMBERS, ("20", "100", "400"))
    assert axis.range[0] < log10(20)
    assert axis.range[1] > log10(400)


@pytest.mark.parametrize(("seeds", "drawn"), [(1, False), (3, True), (5, False)])
def test_a_few_seeds_are_drawn_one_by_one(seeds: int, drawn: bool) -> None:
    found = traces([*LEVEL, *line("soft", 700, 710, 720, seeds=seeds)])
    assert ("Soft merge, each seed" in found) is drawn
    if drawn:
        assert len(found["Soft merge, each seed"].y) == 9


def test_what_needs_no_labels_is_a_level_line_and_of_many_only_the_highest() -> None:
    more = [score(name, 500 + number) for number, name in enumerate(("krum", "median", "ties", "trimmed_mean"))]
    found = traces([*LEVEL[:2], *more, *line("soft", 810, 830, 850)])
    assert list(found["Plain average"].y) == [80, 80]
    assert found["Plain average"].mode == "lines"
    assert {"Ensemble", "TIES", "Coordinate median", "Trimmed mean"} <= set(found)
    assert "Krum" not in found


@pytest.mark.parametrize("theme", THEMES)
def test_a_method_has_its_own_colour_and_its_label_has_it_too(theme: Theme) -> None:
    figure = figure_of(SCORES, theme)
    style = method_style("soft", theme)
    soft = next(trace for trace in figure.data if trace.name == "Soft merge")
    assert (soft.line.color, soft.line.dash, soft.marker.symbol) == (style.color, style.dash, style.marker)
    (label,) = [note for note in figure.layout.annotations if note.text.endswith("Soft")]
    assert label.font.color == style.color


def test_labels_do_not_overlap_on_a_window_or_a_phone() -> None:
    height = label_counts_height(["average", "ensemble", "median", "ties", "soft", "fine_tuning"])
    figure = figure_of(SCORES, height=height)
    low, high = figure.layout.yaxis.range
    phone = height - figure.layout.margin.t - figure.layout.meta["narrow"]["margin.b"]
    places = sorted((note.y - low) / (high - low) * phone for note in figure.layout.annotations)
    assert min(after - before for before, after in pairwise(places)) >= 15


def test_every_method_has_room_for_its_label() -> None:
    assert label_counts_height(["soft", "average"]) == label_counts_height(()) < label_counts_height(["soft"] * 30)


def test_the_bar_of_two_seeds_does_not_stretch_the_axis() -> None:
    two = [score("soft", 700, 20), score("soft", 800, 20, seed=1)]
    low, high = figure_of(two).layout.yaxis.range
    assert low > 50
    assert high < 100


def test_one_number_alone_has_an_axis_too() -> None:
    found = label_counts_figure([score("soft", 700, 50)], theme="light", numbers=(50,))
    assert found is not None
    assert found.layout.xaxis.range[0] < log10(50) < found.layout.xaxis.range[1]
