"""Accuracy under attack, and blame, as data."""

import math

import pytest

from softmerge_core.events import Blame, Event, Score
from softmerge_core.figures.robustness import blame_figure, blame_height, robustness_figure
from softmerge_core.figures.style import method_style
from softmerge_core.statistics import pack

METHODS = ("average", "median", "krum", "soft")


def score(series: str, malicious: int, strength: float, accuracy: float) -> Score:
    return Score(step=1, series=series, malicious=malicious, strength=strength, accuracy=accuracy)


EVENTS: list[Event] = [
    Score(step=1, series="best_source", accuracy=0.8),
    score("soft", 1, 50, 0.81),
    score("average", 1, 50, 0.3),
    score("soft", 0, 50, 0.85),
    score("average", 0, 50, 0.82),
    score("average", 2, 50, 0.1),
    score("average", 1, 5, 0.6),
    score("average", 1, 150, 0.2),
    Score(step=1, series="krum", malicious=1, strength=50, problem="nothing is left"),
]


def figure_of(events: list[Event], against: str) -> object:
    return robustness_figure(
        events, theme="light", against=against, malicious=1, strength=50, methods=METHODS, sources=4, unit="factor",  # type: ignore[arg-type]
    )  # fmt: skip


def lines(against: str) -> dict[str, tuple[list[float], list[float]]]:
    figure = figure_of(EVENTS, against)
    return {trace.name: (list(trace.x), list(trace.y)) for trace in figure.data}  # type: ignore[attr-defined]


def test_against_number_each_line_has_the_chosen_strength_in_order_of_number() -> None:
    found = lines("malicious")
    assert found["Plain average"] == ([0, 1, 2], pytest.approx([82, 30, 10]))
    assert found["Soft merge"] == ([0, 1], pytest.approx([85, 81]))
    assert found["Best honest source"][1] == pytest.approx([80, 80])
    assert "Coordinate median" not in found


def test_against_strength_each_line_has_the_chosen_number_in_order_of_strength() -> None:
    found = lines("strength")
    assert found["Plain average"] == ([5, 50, 150], pytest.approx([60, 30, 20]))
    assert found["Best honest source"][0] == [5, 150]


def test_a_method_without_a_result_is_a_gap_and_has_no_label() -> None:
    figure = figure_of(EVENTS, "malicious")
    krum = next(trace for trace in figure.data if trace.name == "Krum")  # type: ignore[attr-defined]
    assert math.isnan(krum.y[0])
    labels = [note.text for note in figure.layout.annotations]  # type: ignore[attr-defined]
    assert any(label.endswith("Soft") for label in labels)
    assert not any(label.endswith("Krum") for label in labels)


def test_no_line_is_drawn_across_a_number_that_is_still_to_come() -> None:
    figure = figure_of([score("average", 0, 50, 0.8), score("average", 2, 50, 0.7)], "malicious")
    (average,) = figure.data  # type: ignore[attr-defined]
    assert list(average.x) == [0, 1, 2]
    assert math.isnan(average.y[1])


def test_axes_say_what_they_show() -> None:
    number, strength = figure_of(EVENTS, "malicious"), figure_of(EVENTS, "strength")
    assert number.layout.xaxis.title.text == "Malicious sources (of 4)"  # type: ignore[attr-defined]
    assert number.layout.yaxis.title.text == "Test accuracy (%), one seed"  # type: ignore[attr-defined]
    assert strength.layout.xaxis.type == "log"  # type: ignore[attr-defined]
    assert "factor" in strength.layout.xaxis.title.text  # type: ignore[attr-defined]
    low, high = strength.layout.xaxis.range  # type: ignore[attr-defined]
    assert low < math.log10(5) < math.log10(150) < high


def test_methods_that_are_drawn_together_differ_in_colour_and_in_dash_or_marker() -> None:
    from softmerge_core.experiments.robustness.spec import METHODS as USUAL

    for theme in ("light", "dark"):
        styles = [method_style(key, theme) for key in (*USUAL, "best_source")]  # type: ignore[arg-type]
        assert len({style.color for style in styles}) == len(styles)
        assert len({style.marker for style in styles}) == len(styles)


def test_no_strength_is_lost_on_a_log_axis_but_zero() -> None:
    events = [*EVENTS, score("average", 1, 0, 0.9)]
    figure = figure_of(events, "strength")
    average = next(trace for trace in figure.data if trace.name == "Plain average")  # type: ignore[attr-defined]
    assert list(average.x) == [5, 50, 150]


def test_there_is_no_picture_before_the_first_method() -> None:
    assert figure_of([], "malicious") is None
    assert figure_of(EVENTS[:1], "strength") is None


BLAME = Blame(
    step=1, case="1 malicious", sources=("<b>a</b>", "b", "c"), malicious=(False, False, True),
    gates=(0.9, 0.5, 0.0), gains=(-0.02, 0.0, 0.5),
)  # fmt: skip


def test_blame_is_gates_beside_gains_a_row_per_source() -> None:
    figure = blame_figure(BLAME, theme="dark")
    assert figure is not None
    gates, gains = figure.data
    assert list(gates.x) == [0.9, 0.5, 0.0]
    assert list(gains.x) == pytest.approx([-2, 0, 50])
    assert list(gates.y) == list(gains.y) == ["&lt;b&gt;a&lt;/b&gt;", "b", "⚠\ufe0e c (malicious)"]
    assert list(figure.layout.yaxis.categoryarray)[::-1] == list(gates.y)
    assert (gates.marker.cmin, gates.marker.cmax) == (0, 1)
    assert gains.marker.pattern.shape == ("", "", "/")  # never colour alone
    assert [note.text for note in figure.layout.annotations] == ["0.90", "−2.0", "0.50", "0.0", "0.00", "+50.0"]
    low, high = figure.layout.xaxis2.range
    assert low < -2 < 50 < high


def test_without_blame_no_picture_and_what_is_unknown_is_said() -> None:
    assert blame_figure(None, theme="light") is None
    unknown = blame_figure(BLAME.model_copy(update={"gains": (math.nan, 0.0, 0.5)}), theme="light")
    assert unknown is not None
    assert unknown.layout.annotations[1].text == "unknown"
    assert blame_height(8) > blame_height(4)


def test_several_seeds_are_a_mean_with_its_bar() -> None:
    again = [score("soft", 1, 50, 0.87).model_copy(update={"seed": 1, "correct": pack(n < 87 for n in range(100))})]
    first = score("soft", 1, 50, 0.81).model_copy(update={"correct": pack(n < 81 for n in range(100))})
    figure = figure_of([first, score("average", 1, 50, 0.3), *again], "malicious")
    soft = next(trace for trace in figure.data if trace.name == "Soft merge")  # type: ignore[attr-defined]
    average = next(trace for trace in figure.data if trace.name == "Plain average")  # type: ignore[attr-defined]
    assert list(soft.y) == pytest.approx([84])
    assert soft.error_y.visible
    assert soft.error_y.arrayminus[0] > 4.3
    assert "2 seeds and 100 test samples" in soft.customdata[0]
    assert not average.error_y.visible
    assert figure.layout.yaxis.title.text == "Test accuracy (%), 2 seeds, n = 100"  # type: ignore[attr-defined]
