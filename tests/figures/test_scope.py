"""Pictures of scope alignment as data: what is drawn is what was told."""

import math
from typing import Any

import pytest

from softmerge_core.events import Barrier, Evaluation, Event, Histogram, Loss, Scopes, WeightPath
from softmerge_core.experiments.scope.told import layers_of
from softmerge_core.figures.scope import barrier_figure, path_figure, source_style, sources_figure
from softmerge_core.figures.scope_layers import (
    bins_of,
    distances_figure,
    gaussian,
    histograms_figure,
    layer_titles,
    layers_height,
    trajectories_figure,
)
from softmerge_core.figures.style import colour
from tests.figures.test_style import contrast

LAYERS = ("conv1.weight", "<b>head</b>.weight")
SERIES = ("plain:0", "plain:1", "aligned:0", "aligned:1")


def scopes(series: str, step: int, sigma: float) -> Scopes:
    return Scopes(step=step, series=series, layers=LAYERS, mu=(0.0, 0.01), sigma=(sigma, 2 * sigma))


def barrier(side: str, step: int, error: float, loss: float = 0.5, distance: tuple[float, ...] = (0.1, 0.4)) -> Barrier:
    return Barrier(step=step, series=side, error=error, loss=loss, distance=distance)


def histogram(series: str, step: int = 2, layer: str = LAYERS[0], low: float = -1.0, outside: int = 0) -> Histogram:
    return Histogram(
        step=step, series=series, layer=layer, low=low, high=1.0, counts=(1, 3, 3, 1), outside=outside,
        mu=0.0, sigma=0.4, skewness=0.0, kurtosis=0.0, gap=0.01,
    )  # fmt: skip


EVENTS: list[Event] = [
    *(scopes(series, step, 0.1 + 0.01 * step) for step in (0, 1, 2) for series in (*SERIES, "aligned:target")),
    *(barrier("plain", step, 0.3 * step) for step in (0, 1, 2)),
    *(barrier("aligned", step, 0.02 * step, distance=(0.001, 0.0)) for step in (0, 1)),
    *(
        Loss(step=step, series=series, task=2.0 / step, penalty=0.1, total=2.0)
        for step in (1, 2)
        for series in SERIES
    ),
    *(
        Evaluation(step=step, series=series, split="test", accuracy=0.4 * step, loss=1.0)
        for step in (0, 1, 2)
        for series in (*SERIES, "plain:merged")
    ),
]  # fmt: skip


def traces(figure: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in figure.data}


@pytest.mark.parametrize(("of", "values"), [("error", [0, 30, 60]), ("loss", [0.5, 0.5, 0.5])])
def test_the_barrier_over_epochs_is_a_line_a_side(of: Any, values: list[float]) -> None:
    figure = barrier_figure(EVENTS, theme="light", epochs=5, of=of)
    assert figure is not None
    found = traces(figure)
    assert list(found["Plain"].x) == [0, 1, 2]
    assert list(found["Plain"].y) == pytest.approx(values)
    assert list(found["Aligned"].x) == [0, 1]
    assert found["Plain"].line.dash != found["Aligned"].line.dash
    assert found["Plain"].marker.symbol != found["Aligned"].marker.symbol
    assert tuple(figure.layout.xaxis.range) == (0, 5)
    assert {"error": "points", "loss": "nats"}[of] in figure.layout.yaxis.title.text
    assert figure.layout.yaxis.title.text.endswith(", one seed")
    low, high = figure.layout.yaxis.range
    assert low < min(0, *values)
    assert max(values) < high


def test_labels_at_the_end_tell_the_newest_barrier() -> None:
    figure = barrier_figure([barrier("plain", 1, 0.714), barrier("aligned", 1, -0.031)], theme="dark", epochs=2)
    assert figure is not None
    assert [note.text for note in figure.layout.annotations] == ["Plain 71", "Aligned −3.1"]
    none = barrier_figure([barrier("plain", 1, -0.001)], theme="dark", epochs=2)
    assert none is not None
    assert none.layout.annotations[0].text == "Plain −0.1"
    lower = barrier_figure([barrier("plain", 1, 0.0, loss=-0.5)], theme="dark", epochs=2, of="loss")
    assert lower is not None
    assert lower.layout.annotations[0].text == "Plain −0.50"


def test_a_barrier_that_is_no_number_is_a_gap_without_a_label() -> None:
    figure = barrier_figure([barrier("plain", 1, 0.2), barrier("plain", 2, math.inf)], theme="light", epochs=2)
    assert figure is not None
    assert not figure.layout.annotations
    assert math.isfinite(figure.layout.yaxis.range[1])


def test_stages_are_parted_by_thin_lines() -> None:
    figure = barrier_figure(EVENTS, theme="light", epochs=6, stages=3)
    assert figure is not None
    assert [shape.x0 for shape in figure.layout.shapes if shape.x0 == shape.x1] == [2, 4]


def test_losses_above_accuracies_of_sources_alone() -> None:
    figure = sources_figure(EVENTS, theme="light", epochs=5)
    assert figure is not None
    upper = {trace.name: trace for trace in figure.data if trace.yaxis == "y"}
    lower = {trace.name: trace for trace in figure.data if trace.yaxis == "y2"}
    assert set(upper) == set(lower) == {"A, plain", "B, plain", "A, aligned", "B, aligned"}
    assert list(upper["A, aligned"].y) == pytest.approx([2.0, 1.0])
    assert list(lower["A, aligned"].y) == pytest.approx([0, 40, 80])
    assert sum(trace.showlegend is not False for trace in figure.data) == 4
    titles = [figure.layout[axis].title.text for axis in ("yaxis", "yaxis2")]
    assert max(map(len, titles)) <= 15  # a panel is 125 px high in large type


def test_before_the_first_epoch_there_are_accuracies_alone() -> None:
    start = [event for event in EVENTS if isinstance(event, Evaluation) and event.step == 0]
    figure = sources_figure(start, theme="light", epochs=5)
    assert figure is not None
    assert {trace.yaxis for trace in figure.data} == {"y", "y2"}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_sources_and_sides_are_told_apart_by_more_than_colour(theme: Any) -> None:
    styles = {(side, number): source_style(side, number, theme) for side in ("plain", "aligned") for number in range(6)}
    assert len({(style.color, style.dash) for style in styles.values()}) == 12
    assert len({(style.marker, style.dash) for style in styles.values()}) == 12
    for number in range(6):
        assert styles["plain", number].dash == styles["aligned", number].dash
        assert styles["plain", number].marker != styles["aligned", number].marker


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_side_has_one_colour_in_every_picture(theme: Any) -> None:
    sources = sources_figure(EVENTS, theme=theme, epochs=5)
    scopes = trajectories_figure(EVENTS, theme=theme, layers=LAYERS, epochs=5)
    line = barrier_figure(EVENTS, theme=theme, epochs=5)
    assert sources
    assert scopes
    assert line
    for side, one in traces(line).items():
        of_side = [trace for figure in (sources, scopes) for trace in figure.data if side.lower() in trace.name]
        assert len(of_side) == 2 * 2 + 2 * 2 * 2  # sources in two panels, and two layers' means and spreads
        assert {trace.line.color for trace in of_side} == {one.line.color}
        assert contrast(one.line.color, colour("background", theme)) >= 3


def path(series: str, errors: tuple[float, ...]) -> WeightPath:
    return WeightPath(step=2, series=series, t=(0.0, 0.5, 1.0), test_loss=(1.0, 1.0, 1.0), test_error=errors)


def test_paths_are_errors_in_percent() -> None:
    paths = [path("plain", (0.1, 0.8, 0.2)), path("aligned", (0.1, 0.15, 0.1)), path("plain:permuted", (0.1, 0.3, 0.2))]
    figure = path_figure(paths, theme="light")
    assert figure is not None
    found = traces(figure)
    assert set(found) == {"Plain", "Aligned", "Plain, permuted"}
    assert list(found["Plain"].y) == pytest.approx([10, 80, 20])
    assert found["Plain"].line.dash != found["Plain, permuted"].line.dash
    assert figure.layout.yaxis.range[1] > 80
    assert {note.text for note in figure.layout.annotations} == set(found)


def test_paths_are_those_of_the_last_stage() -> None:
    before = [path("plain", (0.1, 0.8, 0.2)), path("plain:permuted", (0.1, 0.3, 0.2))]
    figure = path_figure([*before, path("plain", (0.2, 0.4, 0.2)).model_copy(update={"step": 4})], theme="light")
    assert figure is not None
    assert list(traces(figure)) == ["Plain"]
    assert list(figure.data[0].y) == pytest.approx([20, 40, 20])


def test_trajectories_are_a_row_a_layer_with_mean_and_spread() -> None:
    figure = trajectories_figure(EVENTS, theme="light", layers=LAYERS, epochs=5)
    assert figure is not None
    assert len(figure.data) == 2 * 2 * 5
    spread = [trace for trace in figure.data if trace.yaxis == "y4" and trace.name == "B, aligned"]
    assert list(spread[0].y) == pytest.approx([0.2, 0.22, 0.24])
    assert list(spread[0].x) == [0, 1, 2]
    texts = [note.text for note in figure.layout.annotations]
    assert texts == ["Mean μ", "Spread σ", "<b>conv1</b>", "<b>&lt;b&gt;head&lt;/b&gt;</b>"]
    assert sum(bool(trace.showlegend) for trace in figure.data) == 5
    one = trajectories_figure(EVENTS, theme="light", layers=LAYERS[1:], epochs=5)
    assert one is not None
    assert len(one.data) == 2 * 5


def test_densities_have_the_area_of_what_lies_inside() -> None:
    for outside in (0, 8):
        event = histogram("plain:0", outside=outside)
        middles, density = bins_of(event)
        assert middles == [-0.75, -0.25, 0.25, 0.75]
        assert sum(density) * 0.5 == pytest.approx(8 / (8 + outside))


def test_the_fit_is_a_gaussian() -> None:
    area = sum(gaussian(-5 + 0.01 * i, 0.3, 0.7) for i in range(1001)) * 0.01
    assert area == pytest.approx(1, abs=1e-4)
    assert gaussian(0.3, 0.3, 0.7) == pytest.approx(1 / (0.7 * math.sqrt(2 * math.pi)))
    assert gaussian(0.0, 0.0, 0.0) == 0


def test_histograms_are_a_column_a_source_beside_the_initial_weights() -> None:
    events: list[Event] = [histogram("start:0", step=0, low=-2.0), histogram("aligned:0"), histogram("aligned:1")]
    figure = histograms_figure(events, theme="dark", layers=LAYERS[:1], sources=2)
    assert figure is not None
    assert [trace.name for trace in figure.data] == ["Weights", "Initial weights", "Gaussian fit"] * 2
    assert [trace.xaxis for trace in figure.data] == ["x"] * 3 + ["x2"] * 3
    assert [note.text for note in figure.layout.annotations] == ["A, aligned", "B, aligned", "<b>conv1</b>"]
    assert tuple(figure.layout.xaxis.range) == tuple(figure.layout.xaxis2.range) == (-2, 1)
    assert figure.data[0].marker.color == figure.data[3].marker.color == source_style("aligned", 0, "dark").color
    without = histograms_figure(events, theme="dark", layers=LAYERS[:1], sources=2, side="plain")
    assert without is not None
    assert [trace.name for trace in without.data] == ["Initial weights"] * 2


def test_of_each_series_the_newest_histogram_is_drawn() -> None:
    events: list[Event] = [histogram("aligned:0", step=1, low=-3.0), histogram("aligned:0", step=2)]
    figure = histograms_figure(events, theme="light", layers=LAYERS[:1], sources=1)
    assert figure is not None
    assert list(figure.data[0].x) == [-0.75, -0.25, 0.25, 0.75]


def test_distances_are_the_newest_of_both_sides() -> None:
    figure = distances_figure(EVENTS, theme="light")
    assert figure is not None
    found = traces(figure)
    assert list(found["Plain"].x) == [0.1, 0.4]
    assert list(found["Aligned"].x) == [0.001]  # a distance of zero has no place on a log axis
    assert list(figure.layout.yaxis.categoryarray) == ["&lt;b&gt;head&lt;/b&gt;", "conv1"]
    low, high = figure.layout.xaxis.range
    assert low < math.log10(0.001) < math.log10(0.4) < high


def test_before_anything_was_told_there_is_no_picture() -> None:
    assert layers_of([]) == ()
    assert barrier_figure([], theme="light", epochs=5) is None
    assert sources_figure([], theme="light", epochs=5) is None
    assert path_figure([], theme="light") is None
    assert distances_figure([], theme="light") is None
    assert distances_figure([barrier("plain", 0, 0.0, distance=(0.0, 0.0))], theme="light") is None
    assert trajectories_figure([], theme="light", layers=LAYERS, epochs=5) is None
    assert histograms_figure([], theme="light", layers=LAYERS, sources=2) is None


def test_layers_are_named_apart_and_have_their_room() -> None:
    assert layer_titles(["a.weight", "a.weight", "a"]) == ["a", "a (2)", "a (3)"]
    assert layers_height(6) - layers_height(5) == layers_height(2) - layers_height(1) > 60
