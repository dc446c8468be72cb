"""Losses, accuracies and training curves as data."""

import math

import pytest

from softmerge_core.events import Evaluation, Event, Loss, Progress, Stage
from softmerge_core.figures.accuracy import accuracy_figure, percent_range
from softmerge_core.figures.losses import losses_figure
from softmerge_core.figures.style import method_style, smooth
from softmerge_core.figures.training import training_figure


def losses(count: int, series: str = "soft") -> list[Event]:
    return [
        Loss(step=step, series=series, task=1 + step % 3, penalty=0.5, total=1.5 + step % 3)
        for step in range(1, count + 1)
    ]


def evaluation(step: int, series: str, accuracy: float, split: str = "validation") -> Evaluation:
    return Evaluation(step=step, series=series, split=split, accuracy=accuracy, loss=1.0)  # type: ignore[arg-type]


def test_losses_are_raw_and_faint_under_smoothed() -> None:
    figure = losses_figure(losses(20), theme="light", weight=0.8)
    assert figure is not None
    raw, line = figure.data[:2]
    assert list(raw.y) == [1 + step % 3 for step in range(1, 21)]
    assert list(line.y) == pytest.approx(smooth(list(raw.y), 0.8))
    assert raw.opacity < 0.5 < line.opacity
    assert [trace.name for trace in figure.data[1::2]] == ["Task loss", "Penalty", "Their sum"]
    assert "EMA 0.8" in figure.layout.legend.title.text
    assert figure.layout.yaxis.title.text == "Loss (nats)"
    dashes = {trace.line.dash for trace in figure.data[1::2]}
    assert len(dashes) == 3  # told apart without colour


def test_losses_are_smoothed_before_they_are_thinned() -> None:
    figure = losses_figure(losses(3000), theme="light", weight=0.9)
    assert figure is not None
    line = figure.data[1]
    assert len(line.y) == 300
    everything = smooth([1 + step % 3 for step in range(1, 3001)], 0.9)
    assert list(line.y) == pytest.approx([everything[step - 1] for step in line.x])


def test_smoothing_starts_anew_with_each_stage_and_no_line_crosses_the_border() -> None:
    first = [Loss(step=step, series="soft", task=0.1, total=0.1) for step in (1, 2)]
    second = [Loss(step=step, series="soft", task=5.0, total=5.0) for step in (3, 4)]
    stages = [Stage(step=0, stage="a", title="A"), Stage(step=2, stage="b", title="B")]
    figure = losses_figure([stages[0], *first, stages[1], *second], theme="light", weight=0.9)
    assert figure is not None
    assert list(figure.data[1].x) == [1, 2, None, 3, 4]
    assert list(figure.data[1].y) == pytest.approx([0.1, 0.1, None, 5, 5])


def test_accuracy_too_is_a_line_per_stage() -> None:
    stages = [Stage(step=0, stage="a", title="A"), Stage(step=5, stage="b", title="B")]
    measured = [evaluation(5, "soft", 0.9), evaluation(5, "soft", 0.5), evaluation(9, "soft", 0.6)]
    figure = accuracy_figure([stages[0], measured[0], stages[1], *measured[1:]], theme="light")
    assert figure is not None
    assert list(figure.data[-1].x) == [5, None, 5, 9]
    assert list(figure.data[-1].y) == [90, None, 50, 60]


def test_losses_show_one_series_over_the_whole_run_with_its_stages() -> None:
    events = [
        Stage(step=0, stage="model", title="<b>Model</b>"),
        *losses(10),
        Stage(step=10, stage="layer", title="Layers"),
        *losses(3, "other"),
        Progress(step=10, total=40),
    ]
    figure = losses_figure(events, theme="dark")
    assert figure is not None
    assert len(figure.data[0].x) == 10
    assert list(figure.layout.xaxis.range) == [0, 40]
    assert [note.text for note in figure.layout.annotations] == ["&lt;b&gt;Model&lt;/b&gt;", "Layers"]
    assert [shape.x0 for shape in figure.layout.shapes] == [10]
    assert losses_figure(losses(3, "other"), theme="light") is None


def accuracy_events() -> list[Event]:
    return [
        evaluation(0, "average", 0.806),
        evaluation(0, "best_source", 0.789),
        evaluation(0, "ensemble", 0.84),
        evaluation(0, "soft", 0.72),
        evaluation(25, "soft", 0.81),
        evaluation(25, "soft", 0.1, split="train"),
        evaluation(25, "source 1", 0.2),
        evaluation(50, "soft", 0.839),
        Progress(step=50, total=100),
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accuracy_is_as_measured_between_labelled_lines(theme: str) -> None:
    figure = accuracy_figure(accuracy_events(), theme=theme)  # type: ignore[arg-type]
    assert figure is not None
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["Soft merge"].y) == pytest.approx([72, 81, 83.9])
    assert traces["Soft merge"].mode == "lines+markers"
    assert list(traces["Plain average"].y) == pytest.approx([80.6, 80.6])
    assert list(traces["Plain average"].x) == [0, 100]
    texts = {note.text: note for note in figure.layout.annotations}
    assert set(texts) == {"Soft merge 83.9 %", "Plain average 80.6 %", "Best source 78.9 %", "Ensemble of all 84.0 %"}
    style = method_style("soft", theme)  # type: ignore[arg-type]
    assert texts["Soft merge 83.9 %"].font.color == traces["Soft merge"].line.color == style.color
    gap = abs(texts["Soft merge 83.9 %"].y - texts["Ensemble of all 84.0 %"].y)
    low, high = figure.layout.yaxis.range
    assert gap >= 17 * (high - low) / (320 - 16 - 48) - 1e-9
    assert low <= 72
    assert high >= 84
    assert figure.layout.yaxis.title.text == "Validation accuracy (%)"


def test_accuracy_waits_for_validation_and_survives_what_is_not_finite() -> None:
    assert accuracy_figure([evaluation(1, "soft", 0.5, split="test")], theme="light") is None
    assert accuracy_figure([evaluation(1, "soft", math.nan)], theme="light") is None
    only_baselines = accuracy_figure(accuracy_events()[:3], theme="light")
    assert only_baselines is not None
    assert len(only_baselines.data) == 3


@pytest.mark.parametrize(
    ("values", "expected"),
    [([80.6, 84], (75, 85)), ([0], (0, 10)), ([0.1, 99.9], (0, 101)), ([50], (45, 55)), ([100], (90, 101))],
)
def test_percent_range_is_round_and_has_room(values: list[float], expected: tuple[float, float]) -> None:
    assert percent_range(values) == expected


def test_training_shows_the_network_last_heard_of() -> None:
    events = [
        *losses(10, "source 1"),
        evaluation(10, "source 1", 0.1),
        *losses(5, "source 2"),
        evaluation(5, "source 2", 0.4, split="train"),
        evaluation(5, "source 2", 0.3),
    ]
    figure = training_figure(events, theme="light")
    assert figure is not None
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["Training loss, raw"].y) == [2, 3, 1, 2, 3]
    assert list(traces["Validation accuracy"].y) == [30]
    assert list(traces["Training accuracy"].y) == [40]
    assert training_figure([], theme="light") is None
