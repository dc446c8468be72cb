"""Losses, accuracies and training curves as data."""

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageColor

from softmerge_core.events import Evaluation, Event, Loss, Progress, Stage
from softmerge_core.experiments.merge.kept import Kept
from softmerge_core.figures.accuracy import FAINT, accuracy_figure, percent_range
from softmerge_core.figures.losses import losses_figure
from softmerge_core.figures.style import THEMES, Theme, colour, method_style, smooth
from softmerge_core.figures.training import training_figure
from tests.figures.test_style import contrast


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
    assert set(texts) == {
        "Soft merge 83.9\u00a0%",
        "Plain average 80.6\u00a0%",
        "Best source 78.9\u00a0%",
        "Ensemble 84.0\u00a0%",
    }
    style = method_style("soft", theme)  # type: ignore[arg-type]
    assert texts["Soft merge 83.9\u00a0%"].font.color == traces["Soft merge"].line.color == style.color
    gap = abs(texts["Soft merge 83.9\u00a0%"].y - texts["Ensemble 84.0\u00a0%"].y)
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
    [([80.6, 84], (75, 90)), ([0], (0, 10)), ([0.1, 99.9], (0, 101)), ([50], (45, 55)), ([100], (90, 101))],
)
def test_percent_range_is_round_and_has_room(values: list[float], expected: tuple[float, float]) -> None:
    assert percent_range(values) == expected


@given(st.lists(st.floats(0, 100), min_size=2, max_size=8))
def test_percent_range_only_grows_as_values_come(values: list[float]) -> None:
    ranges = [percent_range(values[: count + 1]) for count in range(len(values))]
    for (low, high), (lower, higher) in itertools.pairwise(ranges):
        assert lower <= low
        assert high <= higher
    assert all(high - low >= 10 for low, high in ranges)


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


def kept_events() -> list[Event]:
    """Two stages, of which the second ends far below what the first one reached."""
    return [
        evaluation(0, "average", 0.8),
        evaluation(0, "best_source", 0.79),
        Stage(step=0, stage="model", title="model gates"),
        evaluation(0, "soft", 0.7),
        evaluation(50, "soft", 0.903),
        evaluation(100, "soft", 0.85),
        Stage(step=100, stage="layer", title="layer gates"),
        evaluation(100, "soft", 0.85),
        evaluation(200, "soft", 0.32),
        Progress(step=200, total=200),
    ]


@pytest.mark.parametrize("theme", THEMES)
def test_what_was_not_kept_is_faint_and_still_seen(theme: Theme) -> None:
    line, background = (ImageColor.getrgb(colour(name, theme)) for name in ("soft", "background"))
    mixed = (round(FAINT * one + (1 - FAINT) * other) for one, other in zip(line, background, strict=True))
    assert contrast("#" + "".join(f"{part:02x}" for part in mixed), colour("background", theme)) >= 3


def test_a_finished_curve_ends_in_what_was_kept() -> None:
    figure = accuracy_figure(kept_events(), theme="light", kept=Kept("model", "model gates", 0.903, 50))
    assert figure is not None
    texts = [note.text for note in figure.layout.annotations]
    assert "◯ Kept: Soft merge 90.3\u00a0%" in texts
    assert not any("32.0" in text for text in texts)
    traces = {trace.name: trace for trace in figure.data}
    assert (list(traces["Kept"].x), list(traces["Kept"].y)) == ([50], [pytest.approx(90.3)])
    assert traces["Kept"].marker.symbol == "circle-open"
    assert list(traces["Kept, to its label"].x) == [50, 200]
    assert list(traces["Soft merge"].x) == [0, 50, 100]
    assert list(traces["Not kept"].x) == [100, 200]
    lost, kept = traces["Not kept"], traces["Soft merge"]
    assert lost.opacity < 1
    assert lost.line.width < kept.line.width
    assert "<b>model gates, kept</b>" in texts
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes if shape.type == "rect"] == [(0, 100)]


@pytest.mark.parametrize(("winner", "name"), [("best_source", "Best source"), ("average", "Plain average")])
def test_a_baseline_that_was_kept_is_marked_in_place_of_the_gates(winner: str, name: str) -> None:
    figure = accuracy_figure(kept_events(), theme="dark", kept=Kept(winner, "title <b>", 0.81))
    assert figure is not None
    texts = [note.text for note in figure.layout.annotations]
    assert sum(name in text for text in texts) == 1
    assert f"◯ Kept: {name} 81.0\u00a0%" in texts
    assert not any("Soft" in text or "<b>" in text for text in texts)
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["Kept"].x) == [192]  # beside its label
    assert "Soft merge" not in traces
    assert "&lt;b&gt;" in traces["Kept"].hovertemplate
    assert not [shape for shape in figure.layout.shapes if shape.type == "rect"]


def test_a_kept_network_of_unknown_accuracy_is_only_named() -> None:
    figure = accuracy_figure(kept_events(), theme="light", kept=Kept("model", "model gates"))
    assert figure is not None
    assert "<b>model gates, kept</b>" in [note.text for note in figure.layout.annotations]
    assert "Kept" not in {trace.name for trace in figure.data}


def test_losses_mark_the_stage_and_the_step_that_were_kept() -> None:
    events = [*kept_events()[:4], *losses(100), *kept_events()[6:]]
    figure = losses_figure(events, theme="light", kept=Kept("model", "model gates", 0.9, 50))
    assert figure is not None
    assert "<b>model gates, kept</b>" in [note.text for note in figure.layout.annotations]
    assert [shape.x0 for shape in figure.layout.shapes if shape.line.dash == "dot"] == [50]


def peaked(peak: float) -> list[Event]:
    return [Loss(step=step, series="soft", task=peak if step == 7 else 0.5, total=peak if step == 7 else 0.5)
            for step in range(1, 101)]  # fmt: skip


@pytest.mark.parametrize(("peak", "logarithmic"), [(1e6, True), (20.0, False), (math.nan, False), (math.inf, False)])
def test_the_axis_turns_logarithmic_for_peaks_far_above_the_rest(peak: float, logarithmic: bool) -> None:
    figure = losses_figure(peaked(peak), theme="light")
    assert figure is not None
    axis = figure.layout.yaxis
    assert (axis.type == "log") == logarithmic
    assert ("log axis" in axis.title.text) == logarithmic
    if logarithmic:
        low, high = axis.range
        assert low < math.log10(0.5) < 5 < high


def test_losses_of_nothing_at_all_keep_a_linear_axis() -> None:
    figure = losses_figure([Loss(step=1, series="soft", task=0, total=0)], theme="light")
    assert figure is not None
    assert figure.layout.yaxis.type is None
