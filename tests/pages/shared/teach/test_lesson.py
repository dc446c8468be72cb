"""Lessons as data: what is asked has one right answer, which is read from a run."""

import itertools
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared.teach.lesson import Choice, Measured, Question, Series, Sketch, lessons, read_lesson
from pages.shared.teach.truth import curve
from pages.site import PAGES
from softmerge_core.errors import SettingsError
from softmerge_core.home import home
from softmerge_core.runs import RunStore

RESULT = {
    "rows": [{"key": "a", "mean": 0.125}, {"key": "b", "mean": 0.5}],
    "accuracy": {"soft": 0.75, "sources": [0.5, 0.25]},
    "winner": "channel",
    "gates": {"3": 1},
}
EDGES = st.lists(st.floats(-100, 100), unique=True, max_size=5).map(sorted)


@pytest.mark.parametrize(
    ("value", "minus", "expected"),
    [
        ("accuracy.soft", "", 0.75),
        ("accuracy.sources.1", "", 0.25),
        ("accuracy.soft", "accuracy.sources.0", 0.25),
        ("rows.key=b.mean", "", 0.5),
    ],
)
def test_a_number_is_read_from_its_place(value: str, minus: str, expected: float) -> None:
    assert Measured(run="x", value=value, minus=minus).read(RESULT) == expected


@pytest.mark.parametrize(
    "value", ["winner", "accuracy", "accuracy.sources.2", "accuracy.sources.-1", "no", "winner.0", "rows.key=c.mean"]
)
def test_what_is_no_number_is_named(value: str) -> None:
    with pytest.raises(SettingsError, match=value):
        Measured(run="x", value=value).read(RESULT)


@pytest.mark.parametrize(("share", "expected"), [("open", 0.75), ("exact", 0.5)])
def test_a_share_of_numbers_is_counted_through_all_lists(share: Any, expected: float) -> None:
    result = {"gates": [[0.0, 1.0], [0.25, 0.75]]}
    assert Measured(run="x", value="gates", share=share).read(result) == expected


def test_a_curve_is_picked_at_the_points_of_a_sketch() -> None:
    series = Series(run="x", value="name=b.error", of_one=True)
    curve = series.read([{"name": "a", "error": [1.0]}, {"name": "b", "error": [0.0, 0.5, 1.0]}])
    sketch = Sketch(text="", truth=series, along="", first=1, last=9, points=5)
    assert curve == [1.0, 0.5, 0.0]
    assert sketch.picked(curve) == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert [sketch.place(number) for number in range(5)] == [1, 3, 5, 7, 9]


@given(EDGES, st.floats(-1000, 1000))
def test_just_one_choice_is_right(edges: list[float], truth: float) -> None:
    borders = [-math.inf, *edges, math.inf]
    choices = [Choice(text="", least=a, below=b) for a, b in itertools.pairwise(borders)]
    question = Question(text="", measured=Measured(run="x", value="y"), choices=tuple(choices))
    right = question.right(truth)
    assert right is not None
    assert choices[right].least <= truth < choices[right].below


@pytest.mark.parametrize("second", [{"least": 2.0}, {"least": 0.5}, {"least": 1.0, "below": 2.0}])
def test_choices_with_a_gap_are_refused(second: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="hold every number once"):
        Question(
            text="",
            measured=Measured(run="x", value="y"),
            choices=(Choice(text="a", below=1.0), Choice(text="b", **second)),
        )


@pytest.mark.parametrize("name", lessons())
def test_every_lesson_leads_through_pages_that_exist_to_a_truth_that_was_measured(name: str) -> None:
    lesson = lessons()[name]
    assert lesson.steps
    assert {step.page for step in lesson.steps} <= set(PAGES)
    measured = lesson.question.measured
    truth = measured.read(RunStore(home()).read(measured.run, 2**62).result or {})
    assert lesson.question.choices or lesson.question.low <= truth <= lesson.question.high
    if sketch := lesson.question.sketch:
        for series in filter(None, (sketch.truth, sketch.given)):
            assert all(0 <= height <= 1 for height in curve(series))
            assert len(curve(series)) >= sketch.points


def test_there_are_ten_lessons_of_every_kind_of_question() -> None:
    asked = [lesson.question for lesson in lessons().values()]
    assert len(asked) == 10
    assert sum(question.sketch is not None for question in asked) >= 2
    assert any(question.choices and not question.sketch for question in asked)
    assert any(step.done == "run" for lesson in lessons().values() for step in lesson.steps)


def test_a_file_that_is_no_lesson_is_named(tmp_path: Path) -> None:
    (tmp_path / "01-broken.toml").write_text("title = 3\n[", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"01-broken\.toml"):
        read_lesson(tmp_path / "01-broken.toml")
