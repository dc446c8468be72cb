"""Labels never overlap."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.events import Loss, Progress, Stage
from softmerge_core.experiments.merge.kept import Kept
from softmerge_core.figures.labels import EndLabel, end_labels, last_step, mark_stages, push_apart
from softmerge_core.figures.style import new_figure


@given(st.lists(st.floats(-50, 150), max_size=12), st.floats(0.1, 8))
def test_labels_lie_apart_within_bounds_and_in_order(positions: list[float], gap: float) -> None:
    placed = push_apart(positions, gap, 0, 100)
    ordered = sorted(placed)
    assert all(-1e-9 <= place <= 100 + 1e-9 for place in placed)
    assert all(b - a >= gap - 1e-6 for a, b in itertools.pairwise(ordered))
    by_wish = sorted(range(len(positions)), key=lambda index: (positions[index], index))
    assert [placed[index] for index in by_wish] == ordered


def test_labels_with_room_stay_where_they_are() -> None:
    assert push_apart([80, 20, 50], 10, 0, 100) == [80, 20, 50]
    assert push_apart([50, 50], 10, 0, 100) == [45, 55]
    assert push_apart([100, 100], 10, 0, 100) == [90, 100]


def test_labels_without_room_are_spread_over_all_there_is() -> None:
    assert push_apart([1, 2, 3], 60, 0, 100) == [0, 50, 100]
    assert push_apart([], 1, 0, 1) == []


def test_end_labels_are_annotations_apart_by_a_line_of_text() -> None:
    figure = new_figure("light")
    labels = [EndLabel(80.0, "One 80\u00a0%", "1", "#000000"), EndLabel(80.1, "Two 80.1\u00a0%", "2", "#000000")]
    end_labels(figure, labels, low=70, high=90, plot_height=200)
    first, second = figure.layout.annotations
    assert second.y - first.y == pytest.approx(20 * 17 / 200)
    assert figure.layout.meta["narrow"]["annotations.1.text"] == "2"
    assert figure.layout.meta["narrow"]["margin.r"] < figure.layout.margin.r


def stage(step: int, title: str) -> Stage:
    return Stage(step=step, stage=title, title=title)


def test_stages_are_marked_by_a_line_and_a_title_over_their_middle() -> None:
    figure = new_figure("light")
    mark_stages(figure, [stage(0, "A"), stage(400, "B"), Progress(step=500, total=800)], "light", top=20)
    assert [shape.x0 for shape in figure.layout.shapes] == [400]
    assert [(note.text, note.x) for note in figure.layout.annotations] == [("A", 200), ("B", 600)]
    assert figure.layout.margin.t == 35


def test_the_stage_that_was_kept_has_a_band_and_a_bold_title_within_the_plot() -> None:
    figure = new_figure("dark")
    events = [stage(0, "first"), stage(700, "a very long <b> title of a stage"), Progress(step=800, total=800)]
    mark_stages(figure, events, "dark", top=20, kept=Kept(events[1].stage, "x"))  # type: ignore[attr-defined]
    first, last = figure.layout.annotations
    assert first.text == "first"
    assert last.text == "<b>a very long &lt;b&gt; title…, kept</b>"
    assert (last.x, last.xanchor) == (800, "right")  # centred it would be cut off
    (band,) = [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert (band.x0, band.x1, band.layer) == (700, 800, "below")


def test_titles_of_short_stages_take_another_row() -> None:
    figure = new_figure("light")
    titles = ["a long stage title", "another long one", "a third of them"]
    stages = [stage(10 * index, title) for index, title in enumerate(titles)]
    mark_stages(figure, [*stages, Progress(step=30, total=1000)], "light", top=20)
    spans = [(note.x / 1000 * 240, 6.6 * len(note.text) / 2, note.yshift) for note in figure.layout.annotations]
    for index, (middle, half, row) in enumerate(spans):
        for other, other_half, other_row in spans[:index]:
            assert row != other_row or abs(middle - other) >= half + other_half


def test_a_run_ends_where_its_progress_says() -> None:
    loss = Loss(step=7, series="soft", task=1, total=1)
    assert last_step([loss]) == 7
    assert last_step([Progress(step=1, total=400), loss]) == 400
    assert last_step([]) == 1
