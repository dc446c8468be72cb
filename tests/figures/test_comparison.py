"""The comparison of methods as data."""

import math
import re
from unicodedata import name

import plotly.graph_objects as go
import pytest

from softmerge_core.events import Score
from softmerge_core.experiments.compare.spec import CompareSpec
from softmerge_core.experiments.compare.words import report
from softmerge_core.figures.comparison import comparison_figure, comparison_height
from softmerge_core.figures.style import method_style
from softmerge_core.statistics.bars import wilson


def score(series: str, accuracy: float, seed: int = 0) -> Score:
    values = {"accuracy": accuracy, "loss": 1.0, "calibration": 0.1, "validation": 0.5}
    return Score(step=1, series=series, seed=seed, took=1.0, memory=2.0, **values)


ROWS = [
    score("source-1", 0.7),
    score("best_source", 0.7),
    score("average", 0.8),
    score("soft", 0.84),
    score("soft", 0.86, seed=1),
    Score(step=1, series="ties", problem="needs a base model"),
]


def entries() -> list[dict[str, object]]:
    return list(report(CompareSpec(), ROWS)["rows"])


def traces() -> dict[str, object]:
    figure = comparison_figure(entries(), theme="light")
    assert figure is not None
    return {trace.name: trace for trace in figure.data}


def test_methods_are_sorted_as_the_result_is_and_sources_are_no_methods() -> None:
    figure = comparison_figure(entries(), theme="light")
    assert figure is not None
    assert list(figure.layout.yaxis.categoryarray)[::-1] == ["Soft merge", "Plain average", "TIES"]
    assert figure.layout.xaxis.title.text.startswith("Test accuracy (%)")


def test_while_live_every_method_keeps_the_place_it_was_given() -> None:
    order = ["average", "krum", "soft", "ties"]
    for seen in range(1, len(ROWS) + 1):
        rows = report(CompareSpec(), ROWS[:seen])["rows"]
        figure = comparison_figure(rows, theme="light", order=order)
        if figure is not None:
            names = ["Plain average", "Krum", "Soft merge", "TIES"]
            assert list(figure.layout.yaxis.categoryarray)[::-1] == names
            assert list(figure.layout.yaxis.tickvals) == names


def test_a_dot_is_the_mean_with_its_interval_in_percent() -> None:
    found = traces()
    soft, average = found["Soft merge"], found["Plain average"]
    assert soft.x[0] == pytest.approx(85)  # type: ignore[attr-defined]
    assert soft.error_x.array[0] > 2  # type: ignore[attr-defined]
    assert soft.error_x.visible  # type: ignore[attr-defined]
    # Wilson's interval of .8 on 1,000 samples: .7741 to .8236
    assert average.error_x.arrayminus[0] == pytest.approx(2.59, abs=0.01)  # type: ignore[attr-defined]
    assert average.error_x.array[0] == pytest.approx(2.36, abs=0.01)  # type: ignore[attr-defined]
    assert list(found["Soft merge, each seed"].x) == pytest.approx([84, 86])  # type: ignore[attr-defined]


def plain_title(figure: go.Figure) -> str:
    """The title of the x axis and the note below it, without their lines and sizes."""
    return re.sub("</?span[^>]*>", "", figure.layout.xaxis.title.text).replace("<br>", " ")


def test_the_note_tells_what_bars_are_and_of_how_many_seeds_and_samples() -> None:
    figure = comparison_figure(entries(), theme="light")
    assert figure is not None
    note = "Bars: 95\u00a0% interval, n = 1,000 test samples and 2 seeds where a method is random"
    assert plain_title(figure) == f"Test accuracy (%) {note}"
    single = comparison_figure(report(CompareSpec(), ROWS[:3])["rows"], theme="light")
    assert single is not None
    assert plain_title(single) == "Test accuracy (%) Bars: 95\u00a0% interval, n = 1,000 test samples"


def test_references_are_lines_with_their_names_in_rows_of_their_own() -> None:
    figure = comparison_figure(entries(), theme="dark")
    assert figure is not None
    lines = [shape for shape in figure.layout.shapes if shape.ysizemode != "pixel"]
    assert [line.x0 for line in lines] == pytest.approx([80, 70])
    assert [line.line.dash for line in lines] == [method_style(key, "dark").dash for key in ("average", "best_source")]
    labels = [note for note in figure.layout.annotations if note.yref == "paper"]
    assert [label.text for label in labels] == ["Plain average 80.0\u00a0%", "Best source 70.0\u00a0%"]
    assert labels[0].yshift < labels[1].yshift


def test_no_label_lies_over_the_line_of_a_higher_one() -> None:
    rows = [score("best_source", 0.96), score("ensemble", 0.947), score("average", 0.648), score("krum", 0.3)]
    figure = comparison_figure(report(CompareSpec(), rows)["rows"], theme="light")
    assert figure is not None
    labels = sorted((note for note in figure.layout.annotations if note.yref == "paper"), key=lambda note: note.yshift)
    for place, label in enumerate(labels):
        for higher in labels[place + 1 :]:  # left of a label that reaches to the left there is no higher one's line
            assert label.xanchor != higher.xanchor or (higher.x > label.x) == (label.xanchor == "right")


def test_a_method_that_failed_has_a_row_and_says_so() -> None:
    figure = comparison_figure(entries(), theme="light")
    assert figure is not None
    (said,) = [note.text for note in figure.layout.annotations if note.y == "TIES"]
    assert said == "no result"
    assert math.isnan(next(trace for trace in figure.data if trace.name == "TIES").x[0])


SPREAD = {"average": 0.85, "krum": 0.84, "ties": 0.86, "soft": 0.88, "dare": 0.83, "slerp": 0.82, "regmean": 0.4}


def spread(**changed: float) -> list[dict[str, object]]:
    return list(report(CompareSpec(), [score(key, value) for key, value in (SPREAD | changed).items()])["rows"])


def test_one_method_far_below_does_not_squeeze_the_others() -> None:
    figure = comparison_figure(spread(), theme="light")
    assert figure is not None
    low, high = figure.layout.xaxis.range
    assert (low, high) == (75, 95)
    found = {trace.name: trace for trace in figure.data}
    assert found["RegMean"].x[0] == pytest.approx(40)  # its true value, as the table of values reads it
    assert found["RegMean"].cliponaxis
    assert not found["SLERP"].cliponaxis
    number, told = (note for note in figure.layout.annotations if note.y == "RegMean")
    assert number.text == "40.0\u00a0%"
    assert told.text == "\N{BLACK LEFT-POINTING POINTER} 37.0 to 43.1\u00a0%"
    assert (told.x, told.xanchor) == (low, "left")
    assert "arrow: it lies further left" in figure.layout.xaxis.title.text.replace("<br>", " ")


@pytest.mark.parametrize(
    "changed",
    [
        {"regmean": 0.79},  # the axis would hardly be shorter
        {"slerp": 0.41, "dare": 0.42},  # too many to leave out
        {"regmean": 0.84, "average": 0.4},  # it is drawn as a line, too
    ],
)
def test_a_row_stays_on_the_axis_where_leaving_it_out_serves_nobody(changed: dict[str, float]) -> None:
    figure = comparison_figure(spread(**changed), theme="light")
    assert figure is not None
    low, _ = figure.layout.xaxis.range
    assert all(low <= trace.x[0] for trace in figure.data)
    assert not [note.text for note in figure.layout.annotations if "POINTER" in name(note.text[0])]
    assert "arrow" not in figure.layout.xaxis.title.text


def test_no_row_leaves_the_axis_before_all_are_there() -> None:
    figure = comparison_figure(spread(), theme="light", order=[*SPREAD, "fisher"])
    assert figure is not None
    assert figure.layout.xaxis.range[0] <= 40


def test_every_value_and_interval_lies_on_the_axis() -> None:
    figure = comparison_figure(entries(), theme="light")
    assert figure is not None
    low, high = figure.layout.xaxis.range
    assert low <= 100 * wilson(0.7, 1000)[0]
    assert high >= 86


def test_the_bar_of_two_seeds_does_not_stretch_the_axis() -> None:
    rows = [score("average", 0.85), score("soft", 0.8), score("soft", 0.9, seed=1)]
    figure = comparison_figure(report(CompareSpec(), rows)["rows"], theme="light")
    assert figure is not None
    low, high = figure.layout.xaxis.range
    assert low >= 70  # Student's t of two seeds reaches from 22 to 100 %
    (heads,) = (trace for trace in figure.data if trace.name == "Soft merge, goes on")
    assert (list(heads.x), list(heads.marker.symbol)) == ([low, high], ["triangle-left", "triangle-right"])
    assert not [trace for trace in figure.data if trace.name == "Plain average, goes on"]


def test_the_axis_only_grows_while_seeds_come() -> None:
    rows = [score("average", 0.85), *(score("soft", value, seed) for seed, value in enumerate((0.8, 0.9, 0.82, 0.85)))]
    before = (100.0, 0.0)
    for count in range(1, len(rows) + 1):
        found = report(CompareSpec(seeds=4), rows[:count])["rows"]
        figure = comparison_figure(found, theme="light", order=["average", "soft"], seeds=4)
        assert figure is not None
        low, high = figure.layout.xaxis.range
        assert low <= before[0]
        assert high >= before[1]
        before = low, high
    assert before[0] >= 70  # the last bar is on it, and the long ones before were not


def test_there_is_no_picture_without_numbers_and_room_for_every_row() -> None:
    assert comparison_figure([], theme="light") is None
    assert comparison_figure([], theme="light", order=["average"]) is None
    failed = report(CompareSpec(), ROWS[5:])["rows"]
    assert comparison_figure(failed, theme="light") is None
    assert comparison_height(20) - comparison_height(10) == 250
