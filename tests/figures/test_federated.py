"""Figures of federated learning as data."""

import numpy as np
import pytest
from PIL import ImageColor

from softmerge_core.events import Evaluation, Event, FederatedRound
from softmerge_core.federated.settings import FederatedRun
from softmerge_core.figures.federated import (
    INK,
    RAMP,
    TURN,
    clients_figure,
    measure_figure,
    rounds_figure,
    shards_figure,
)
from softmerge_core.figures.federated_style import run_styles
from softmerge_core.figures.style import THEMES, Theme, method_style
from tests.figures.test_style import contrast

RUNS = (FederatedRun(), FederatedRun(scope=True), FederatedRun(algorithm="scaffold", aggregation="soft"))
KEYS = [run.key for run in RUNS]


def told(key: str, step: int, accuracy: float, drift: float = 0.1, clients: tuple[int, ...] = (0, 1)) -> list[Event]:
    values = tuple(accuracy - 0.1 * client for client in clients)
    event = FederatedRound(
        step=step, series=key, clients=clients, accuracies=values, drift=drift, spread=drift / 2,
        gates=tuple(1.0 for _ in clients) if "soft" in key else (),
    )  # fmt: skip
    return [Evaluation(step=step, series=key, split="test", accuracy=accuracy, loss=1.0), event]


EVENTS = [event for key in KEYS for step in (1, 2) for event in told(key, step, 0.3 * step)]


@pytest.mark.parametrize("theme", THEMES)
def test_the_shards_are_counts_on_a_scale_of_their_own(theme: Theme) -> None:
    figure = shards_figure(((3, 0), (1, 7)), (False, True), theme=theme)
    assert figure is not None
    cells = figure.data[0]
    assert [list(row) for row in cells.z] == [[3, None], [1, 7]]
    assert (cells.zmin, cells.zmax) == (0, 7)
    assert "cividis" not in str(cells.colorscale).lower()
    assert cells.colorbar.title.text == "Samples"
    written = {(x, y): t for trace in figure.data[1:] for x, y, t in zip(trace.x, trace.y, trace.text, strict=True)}
    assert written == {(0, 0): "3", (0, 1): "1", (1, 1): "7"}
    assert "⚠" in figure.layout.yaxis.ticktext[1]
    assert "malicious" in cells.customdata[1][0]
    assert shards_figure((), (), theme=theme) is None


@pytest.mark.parametrize("theme", THEMES)
def test_a_number_is_read_in_every_cell(theme: Theme) -> None:
    ramp = [ImageColor.getrgb(tone) for tone in RAMP[theme]]
    for place in np.linspace(0, 1, 101):
        tone = [np.interp(place * (len(ramp) - 1), range(len(ramp)), part) for part in zip(*ramp, strict=True)]
        ink = INK["many" if place > TURN[theme] else "few"][theme]
        assert contrast("#" + "".join(f"{round(part):02x}" for part in tone), ink) >= 4.4, place


def test_many_clients_have_no_numbers_and_fewer_names() -> None:
    figure = shards_figure(tuple((1, 2, 3, 4, 5) for _ in range(100)), (False,) * 100, theme="light")
    assert figure is not None
    assert len(figure.data) == 1
    assert len(figure.layout.yaxis.ticktext) <= 40


def test_a_line_a_run_with_its_title_and_last_value_at_its_end() -> None:
    figure = rounds_figure(EVENTS, RUNS, theme="light", rounds=5, height=380)
    assert figure is not None
    assert [trace.name for trace in figure.data] == ["FedAvg", "FedAvg with scope alignment", "SCAFFOLD, soft merge"]
    assert list(figure.data[0].x) == [1, 2]
    assert list(figure.data[0].y) == pytest.approx([30, 60])
    assert figure.layout.xaxis.range[1] >= 5
    texts = [note.text for note in figure.layout.annotations]
    assert len(texts) == 3
    assert all("60.0\u00a0%" in text for text in texts)
    assert rounds_figure([], RUNS, theme="light", rounds=5, height=380) is None


@pytest.mark.parametrize("theme", THEMES)
def test_scope_alignment_changes_the_dash_and_not_the_colour(theme: Theme) -> None:
    plain, scope, other = (run_styles(RUNS, theme)[key] for key in KEYS)
    assert plain.color == scope.color != other.color
    assert plain.dash != scope.dash
    assert len({plain.short, scope.short, other.short}) == 3


@pytest.mark.parametrize("measure", ["drift", "spread"])
def test_a_measure_far_apart_has_a_log_axis_and_labels_that_follow(measure: str) -> None:
    near = measure_figure(EVENTS, RUNS, measure, theme="dark", rounds=5, height=260)
    assert near is not None
    assert near.layout.yaxis.type != "log"
    far = measure_figure([*EVENTS, *told(KEYS[0], 3, 0.5, 500.0)], RUNS, measure, theme="dark", rounds=5, height=260)
    assert far is not None
    assert far.layout.yaxis.type == "log"
    low, high = far.layout.yaxis.range
    assert all(low <= note.y <= high for note in far.layout.annotations)
    assert max(far.data[0].y) == pytest.approx(500 if measure == "drift" else 250)


def test_what_is_not_finite_is_left_out() -> None:
    events = [*EVENTS, *told(KEYS[0], 3, 0.5, float("nan")), *told(KEYS[1], 3, 0.5, float("inf"))]
    figure = measure_figure(events, RUNS, "drift", theme="light", rounds=5, height=260)
    assert figure is not None
    assert all(np.isfinite(trace.y).all() for trace in figure.data)


def test_each_client_is_shown_as_it_last_was() -> None:
    events = [*EVENTS, *told(KEYS[0], 3, 0.9, clients=(1,))]
    figure = clients_figure(events, RUNS, (False, True), theme="light", value="accuracies")
    assert figure is not None
    first = figure.data[0]
    assert [round(y) for y in first.y] == [0, 1]
    assert len({tuple(trace.y) for trace in figure.data}) == 3  # no mark hides another
    assert list(first.x) == pytest.approx([60, 80])
    assert [list(known) for known in first.customdata] == [[1, 2], [2, 3]]
    gates = clients_figure(EVENTS, RUNS, (False, True), theme="light", value="gates")
    assert gates is not None
    assert [list(trace.x) for trace in gates.data] == [[1.0, 1.0]]
    assert clients_figure(EVENTS, RUNS[:1], (False, True), theme="light", value="gates") is None


def test_where_only_the_aggregation_differs_labels_say_that() -> None:
    runs = (FederatedRun(), FederatedRun(aggregation="soft"), FederatedRun(aggregation="soft", scope=True))
    assert [style.short for style in run_styles(runs, "light").values()] == ["Mean", "Soft merge", "Soft merge + scope"]
    assert [style.short for style in run_styles(runs[:1], "light").values()] == ["FedAvg"]


@pytest.mark.parametrize("theme", THEMES)
def test_a_run_keeps_its_colour_whatever_it_is_overlaid_with(theme: Theme) -> None:
    names = ("fedavg", "fedprox", "scaffold", "feddyn")
    runs = [FederatedRun(algorithm=name) for name in names]
    together = run_styles(runs, theme)
    assert len({style.color for style in together.values()}) == len(names)
    for first, second in ((0, 2), (3, 1)):
        pair = run_styles([runs[first], runs[second]], theme)
        assert pair[runs[first].key] == together[runs[first].key]
    merged = [FederatedRun(aggregation=name) for name in ("soft", "mean", "median", "krum", "honest")]  # type: ignore[arg-type]
    styles = run_styles(merged, theme)
    assert styles[merged[0].key].color == method_style("soft", theme).color
    assert styles[merged[1].key].color == method_style("average", theme).color
    assert len({style.color for style in styles.values()}) == len(merged)
