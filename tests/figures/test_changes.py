"""Changes of settings in the curves: a line each, and words on the first few."""

import plotly.graph_objects as go

from softmerge_core.figures.changes import TOLD, mark_changes


def test_each_change_has_a_line_and_what_came_at_one_step_is_told_together() -> None:
    figure = mark_changes(go.Figure(), [(5, "the penalty went up"), (5, "a <b>"), (9, "the rate went down")], "dark")
    assert [line.x0 for line in figure.layout.shapes] == [5, 5, 9]
    assert [note.text for note in figure.layout.annotations] == [
        "the penalty went up<br>a &lt;b&gt;",
        "the rate went down",
    ]


def test_of_many_only_the_first_have_words() -> None:
    figure = mark_changes(go.Figure(), [(step, "it changed") for step in range(20)], "light")
    assert (len(figure.layout.shapes), len(figure.layout.annotations)) == (20, TOLD)
