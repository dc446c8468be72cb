"""Lessons as data: what is asked has one right answer, which is read from a run."""

import itertools
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared.teach.lesson import Choice, Measured, Question, lessons, read_lesson
from pages.site import PAGES
from softmerge_core.errors import SettingsError
from softmerge_core.home import home
from softmerge_core.runs import RunStore

RESULT = {"accuracy": {"soft": 0.75, "sources": [0.5, 0.25]}, "winner": "channel", "gates": {"3": 1}}
EDGES = st.lists(st.floats(-100, 100), unique=True, max_size=5).map(sorted)


@pytest.mark.parametrize(
    ("value", "minus", "expected"),
    [("accuracy.soft", "", 0.75), ("accuracy.sources.1", "", 0.25), ("accuracy.soft", "accuracy.sources.0", 0.25)],
)
def test_a_number_is_read_from_its_place(value: str, minus: str, expected: float) -> None:
    assert Measured(run="x", value=value, minus=minus).read(RESULT) == expected


@pytest.mark.parametrize("value", ["winner", "accuracy", "accuracy.sources.2", "accuracy.sources.-1", "no", "winner.0"])
def test_what_is_no_number_is_named(value: str) -> None:
    with pytest.raises(SettingsError, match=value):
        Measured(run="x", value=value).read(RESULT)


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


def test_a_file_that_is_no_lesson_is_named(tmp_path: Path) -> None:
    (tmp_path / "01-broken.toml").write_text("title = 3\n[", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"01-broken\.toml"):
        read_lesson(tmp_path / "01-broken.toml")
