"""The answers of a class as data: every student is drawn, the truth stands at its place, words are plain text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.figures.style import THEMES, Theme
from softmerge_core.figures.values import figure_values
from softmerge_core.figures.vote_flow import choice_flow, number_flow
from softmerge_core.figures.votes import BINS, choice_bars, number_dots, option_rows

EVIL = "<b>x</b> " + "a long answer " * 12
OPTIONS = ("Half or more", EVIL, "Some")


def written(figure: object) -> list[str]:
    return [each.text for each in figure.layout.annotations]  # type: ignore[attr-defined]


@pytest.mark.parametrize("theme", THEMES)
def test_each_option_has_a_bar_for_each_vote_and_the_right_one_a_sign(theme: Theme) -> None:
    figure = choice_bars(OPTIONS, ((1, 2, 1), (0, 4, 0)), right=1, theme=theme, own=1)
    assert [list(trace.x) for trace in figure.data] == [[25.0, 50.0, 25.0], [0.0, 100.0, 0.0]]
    assert [trace.name for trace in figure.data] == ["First vote", "Second vote"]
    said = written(figure)
    assert "4 (100\u00a0%), yours" in said
    assert sum("yours" in each for each in said) == 1
    (right,) = [each for each in said if "✓" in each]
    assert right.startswith("<b>✓ B. &lt;b&gt;x&lt;/b&gt;")
    assert right.count("<br>") == 1
    assert figure_values(figure)[1][1] == [EVIL.strip(), 2, 4, 1]
    assert option_rows(OPTIONS, 2) > option_rows(OPTIONS, 1) > option_rows(OPTIONS[:1], 1) > 100


def test_a_vote_without_answers_is_drawn() -> None:
    assert list(choice_bars(("a", "b"), ((0, 0),), right=0, theme="light").data[0].x) == [0, 0]
    empty = number_dots(((),), span=(0.0, 1.0), axis="x", truth=0.5, said="0.5", theme="light")
    assert list(empty.data[0].x) == []


@given(st.lists(st.floats(0, 100), max_size=60), st.lists(st.floats(0, 100), max_size=60))
def test_every_answer_is_a_dot_near_its_number_and_none_covers_another(first: list[float], second: list[float]) -> None:
    figure = number_dots(
        (first, second), span=(0.0, 100.0), axis="Predicted (%)", truth=11.3, said="11.3", theme="dark"
    )
    for trace, values, sign in zip(figure.data, (first, second), (-1, 1), strict=True):
        assert len(set(zip(trace.x, trace.y, strict=True))) == len(values)
        assert all(abs(x - value) <= 50 / BINS + 1e-9 for x, value in zip(trace.x, sorted(values), strict=True))
        assert all(sign * y > 0 for y in trace.y)
        low, high = figure.layout.yaxis.range
        assert all(low < y < high for y in trace.y)
    assert figure.layout.shapes[0].x0 == 11.3
    assert sum(row[2] for row in figure_values(figure)[1]) == len(first) + len(second)


def test_the_truth_and_the_readers_answer_are_named_in_two_lines() -> None:
    figure = number_dots(((50.0,),), span=(0.0, 100.0), axis="x", truth=12.0, said="<12>", theme="light", own=12.0)
    truth, own = figure.layout.annotations
    assert (truth.text, own.text) == ("Truth: &lt;12&gt;", "You")
    assert truth.yshift != own.yshift
    assert figure.layout.shapes[0].line.dash != figure.layout.shapes[1].line.dash


def test_ways_between_options_are_as_wide_as_there_are_students_on_them() -> None:
    figure = choice_flow(3, [(0, 1)] * 3 + [(1, 1), (2, 0)], right=1, theme="light")
    ways = {trace.name: trace for trace in figure.data}
    assert set(ways) == {"A to B", "B to B", "C to A"}
    assert ways["A to B"].line.width > ways["B to B"].line.width == ways["C to A"].line.width
    assert list(ways["A to B"].y) == [0, 1]
    assert written(figure) == ["A: 3", "✓ B: 1", "C: 1", "A: 1", "✓ B: 4", "C: 0"]
    assert figure_values(figure) == (
        ["First vote", "Second vote", "Students"], [["A", "B", 3], ["B", "B", 1], ["C", "A", 1]],
    )  # fmt: skip


def test_each_student_is_a_line_of_the_kind_of_their_move() -> None:
    pairs = [(50.0, 20.0), (10.0, 90.0), (30.0, 30.0)]
    figure = number_flow(pairs, span=(0.0, 100.0), axis="x", truth=11.0, said="11", theme="light")
    assert [trace.name for trace in figure.data] == ["Nearer: 1", "Farther away: 1", "As before: 1"]
    assert list(figure.data[0].y) == [50.0, 20.0, None]
    assert len({trace.line.dash for trace in figure.data}) == 3
    assert figure.layout.shapes[0].y0 == 11.0
