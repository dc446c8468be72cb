"""Paths, barriers and curves as data."""

import math
from itertools import combinations, pairwise
from typing import Any

import pytest

from softmerge_core.events import BezierCurve, Event, WeightPath
from softmerge_core.figures.connectivity import curve_figure, paths_figure, starts_figure
from softmerge_core.runs import RunStore

TS = (0.0, 0.5, 1.0)


def path(series: str, middle: float, *, error: float = 0.4, note: str = "") -> WeightPath:
    loss, errors = (0.4, middle, 0.6), (0.1, error, 0.2)
    return WeightPath(
        step=0, series=series, t=TS, train_loss=loss, train_error=errors, test_loss=loss, test_error=errors, note=note
    )


EVENTS: list[Event] = [path("plain", 2.5, error=0.7), path("weights", 0.9), path("weights_repair", 0.88, error=0.35)]
CURVE = BezierCurve(
    step=20, trained=20, total=40, t=TS, loss=(0.4, 0.45, 0.6), error=(0.1, 0.1, 0.2),
    straight_loss=(0.4, 2.5, 0.6), straight_error=(0.1, 0.7, 0.2), split="train", samples=100,
)  # fmt: skip


def figure_of(events: list[Event], what: Any = "loss") -> Any:
    return paths_figure(events, theme="light", what=what, names=("<b>one</b>", "two"))


def test_each_path_is_a_solid_line_of_test_data_and_a_faint_dashed_one_of_training_data() -> None:
    figure = figure_of(EVENTS)
    assert [trace.name for trace in figure.data] == [
        "Straight, train", "Straight", "Aligned by weights, train", "Aligned by weights",
        "By weights + REPAIR, train", "By weights + REPAIR",
    ]  # fmt: skip
    train, test = figure.data[:2]
    assert list(test.y) == [0.4, 2.5, 0.6]
    assert (test.line.dash, train.line.dash, train.showlegend) == ("solid", "dash", False)
    assert train.opacity < test.opacity
    assert len({trace.marker.symbol for trace in figure.data}) == 3  # never colour alone
    assert "&lt;b&gt;one" in figure.layout.xaxis.title.text
    assert list(figure_of(EVENTS, "error").data[1].y) == pytest.approx([10, 70, 20])
    assert figure_of(EVENTS, "error").layout.yaxis.title.text == "Error (%)"


def test_barriers_are_marked_from_the_line_between_the_ends_and_their_numbers_apart() -> None:
    figure = figure_of(EVENTS)
    assert [note.text for note in figure.layout.annotations] == ["2.00", "0.40", "0.38"]
    assert [(shape.x0, shape.y0, shape.y1) for shape in figure.layout.shapes] == [
        (0.5, pytest.approx(0.5), 2.5), (0.5, pytest.approx(0.5), 0.9), (0.5, pytest.approx(0.5), 0.88)
    ]  # fmt: skip
    assert [(note.x, note.y) for note in figure.layout.annotations] == [(0.5, 2.5), (0.5, 0.9), (0.5, 0.88)]
    assert not figure_of([path("plain", 0.5)]).layout.shapes
    many = figure_of([*EVENTS, path("scope", 2.4)])
    assert (len(many.layout.shapes), len(many.layout.annotations)) == (4, 0)  # too many numbers to read


@pytest.mark.parametrize("what", ["loss", "error"])
@pytest.mark.parametrize("width", [200, 300, 800])
def test_no_number_of_a_barrier_lies_over_a_line_or_another_number(what: Any, width: int) -> None:
    events = list(RunStore().read("example:first-path").events)
    figure = paths_figure(events, theme="light", what=what, names=("a", "b"), height=340)
    assert figure is not None
    (left, right), (low, high) = figure.layout.xaxis.range, figure.layout.yaxis.range
    tall = 340 - figure.layout.margin.t - figure.layout.margin.b

    def place(x: float, y: float) -> tuple[float, float]:
        return (x - left) / (right - left) * width, (y - low) / (high - low) * tall

    boxes = [(x + note.ax, y - note.ay) for note in figure.layout.annotations for x, y in [place(note.x, note.y)]]
    assert len(boxes) == 3
    for (x, y), (a, b) in combinations(boxes, 2):
        assert abs(x - a) > 30 or abs(y - b) > 14
    for x, y in boxes:
        assert 7 < y < tall - 7
        for trace in figure.data:
            points = [place(*point) for point in zip(trace.x, trace.y, strict=True)]
            for (x0, y0), (x1, y1) in pairwise(points):
                on = [(x0 + k / 40 * (x1 - x0), y0 + k / 40 * (y1 - y0)) for k in range(41)]
                assert not any(abs(a - x) < 15 and abs(b - y) < 7 for a, b in on), (trace.name, x, y)


def test_a_path_that_is_not_finite_is_drawn_where_it_is() -> None:
    figure = figure_of([path("plain", math.inf), EVENTS[1]])
    assert figure.layout.yaxis.range[1] < 2
    assert len(figure.layout.shapes) == 1


def test_from_initial_weights_only_known_paths_are_drawn() -> None:
    events: list[Event] = [path("start:1", 0.5), WeightPath(step=0, series="start:0", note="not known")]
    figure = starts_figure(events, theme="dark", what="loss", names=("a", "b"))
    assert figure is not None
    assert [trace.name for trace in figure.data] == ["To b, train", "To b"]
    assert starts_figure(events[1:], theme="dark", what="loss", names=("a", "b")) is None
    assert figure_of(events) is None


def test_the_newest_curve_is_drawn_beside_the_straight_line() -> None:
    before = CURVE.model_copy(update={"loss": (9.0, 9.0, 9.0)})
    figure = curve_figure([before, CURVE], theme="light", what="loss", names=("a", "b"))
    assert figure is not None
    straight, curve = figure.data
    assert (list(straight.y), list(curve.y)) == ([0.4, 2.5, 0.6], [0.4, 0.45, 0.6])
    assert straight.line.dash != curve.line.dash
    assert curve_figure([], theme="light", what="loss", names=("a", "b")) is None
