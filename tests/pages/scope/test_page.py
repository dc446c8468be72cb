"""The Scope page as its reader meets it: what it submits, what it shows, and what it says when it does not help."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.scope.setup import MEANING, TARGETS, TITLES, UNITS, differences
from pages.scope.words import (
    distance_sentence,
    normality_lines,
    normality_sentence,
    normality_series,
    path_sentence,
    series_title,
    sources_sentence,
    stage_rows,
    target_sentence,
)
from pages.shared.show.text import html_table
from softmerge_core.events import Barrier, Evaluation, Histogram, Progress, Scopes, WeightPath
from softmerge_core.experiments.scope.spec import FACTORS, ScopeSpec, SourceTraining, seed_of, sources_for
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import RunWriter, conduct
from softmerge_core.settings import DataSpec
from tests.pages.conftest import Desk, button, opened, press, texts

Open = Callable[..., AppTest]
LAYERS = ("conv1.weight", "head.weight")


@pytest.fixture
def open_scope(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the page, without a recorded run."""
    monkeypatch.setattr(RunStore, "examples", lambda self: [])

    def start(**state: object) -> AppTest:
        return opened("from pages.scope.page import page\npage()\n", **state)

    return start


def small(**changes: Any) -> ScopeSpec:
    data = DataSpec(dataset="moons", train_samples=100)
    return ScopeSpec(**{"name": "Small", "data": data, "network": "mlp", "epochs": 2, **changes})


def submitted(desk: Desk) -> ScopeSpec:
    (run,) = desk.store.list()
    spec = desk.store.read(run.id).spec
    assert isinstance(spec, ScopeSpec)
    return spec


def test_the_first_press_trains_what_the_spec_has_by_default(open_scope: Open, desk: Desk) -> None:
    page = open_scope()
    assert "Not always a help" in texts(page)
    assert "Nothing has been trained here yet" in "".join(str(bar.proto.text) for bar in page.get("progress"))
    press(page, "Start training")
    assert submitted(desk).model_copy(update={"name": ""}) == ScopeSpec()


@pytest.mark.parametrize("factor", FACTORS)
def test_a_preset_changes_one_source(open_scope: Open, desk: Desk, factor: str) -> None:
    press(open_scope(**{"scope-factor": factor}), "Start training")
    spec = submitted(desk)
    assert spec.sources == sources_for(factor)
    assert spec.name.startswith(TITLES[factor])


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_is_told_in_words_and_can_be_run(open_scope: Open, desk: Desk, target: str) -> None:
    page = open_scope(**{"scope-target": target})
    assert MEANING[target] in texts(page)
    keys = {str(field.key) for field in page.number_input}
    assert ("scope-target_source" in keys) == (target == "source")
    assert ("scope-refuse_every" in keys) == (target == "dynamic")
    press(page, "Start training")
    assert submitted(desk).target == target


def test_what_is_chosen_is_what_is_submitted(open_scope: Open, desk: Desk) -> None:
    page = open_scope(**{"scope-dataset": "moons", "scope-factor": "adam"})
    page.toggle(key="scope-same_start").set_value(False)
    page.number_input(key="scope-sources").set_value(3)
    for key, value in (("weight", 0.5), ("epochs", 7), ("stages", 2), ("batch_size", 32)):
        page.number_input(key=f"scope-{key}").set_value(value)
    page.run()
    page.number_input(key="scope-adam-c-share").set_value(0.4)
    page.run()
    press(page, "Start training")
    spec = submitted(desk)
    assert (spec.data.dataset, spec.network, spec.same_start) == ("moons", "mlp", False)
    assert (spec.weight, spec.epochs, spec.stages, spec.batch_size) == (0.5, 7, 2, 32)
    plain, other, third = spec.sources
    assert plain == SourceTraining(seed=seed_of(0))
    assert other == SourceTraining(seed=seed_of(1), **FACTORS["adam"])
    assert third == SourceTraining(seed=seed_of(2), share=0.4, **FACTORS["adam"])
    assert "from starts of their own" in spec.name


def test_a_target_that_is_no_source_cannot_be_started(open_scope: Open) -> None:
    page = open_scope(**{"scope-target": "source", "scope-target_source": 2})
    assert [error.value for error in page.error] == [
        "Target\\_source: expected one of the sources 0 to 1, got 2\\."
    ]  # fmt: skip
    assert button(page, "Start training").disabled


def test_what_sources_do_otherwise_is_told() -> None:
    values = [source.model_dump() for source in sources_for("adam", 2)]
    assert differences(values) == "Source A: SGD, learning rate 0.05; B: Adam, learning rate 0.001."
    values = [source.model_dump() for source in sources_for("share", 2)]
    assert differences(values) == "Source A: SGD, learning rate 0.05; B: 20% of the samples."
    same = [SourceTraining(label_noise=0.1, share=0.5).model_dump()] * 2
    assert differences(same) == (
        "Source A: SGD, learning rate 0.05, 10% of the labels random, 50% of the samples; "
        "B: the same, in another order of samples."
    )
    assert set(UNITS) == set(SourceTraining.model_fields) - {"seed"}


def test_a_finished_run_is_shown_with_its_verdict_and_stages(open_scope: Open, desk: Desk) -> None:
    run_id = desk.store.create(small(stages=2))
    assert conduct(desk.store.folder(run_id)) == "finished"
    page = open_scope(**{"scope:run": run_id})
    said = texts(page)
    assert "**After 4 of 4 epochs" in said
    assert "2 stages, each from what the one before merged." in said
    assert "On the straight line from A to B the barrier is" in said
    tables = [str(element.value) for element in page.html if "<table" in str(element.value)]
    assert tables[0].count("<tr>") == 3
    assert len(tables) == 1
    assert "A without: " in said
    assert "excess kurtosis" in said
    assert f"`python -m softmerge_core run {run_id}.json`" in said


def test_a_live_run_is_followed(open_scope: Open, desk: Desk) -> None:
    run_id = desk.store.create(small())
    with RunWriter(desk.store.folder(run_id)) as writer:
        for event in (*(barrier(side, 1, 0.3) for side in ("plain", "aligned")), Progress(step=2, total=4)):
            writer.emit(event)
        page = open_scope()
        assert page.query_params["run"] == run_id
        assert "**After 1 of 2 epochs scope alignment does not lower the error barrier" in texts(page)
        assert button(page, "Start training").disabled


def test_the_barrier_is_drawn_in_error_or_in_loss(open_scope: Open, desk: Desk) -> None:
    run_id = desk.store.create(small())
    assert conduct(desk.store.folder(run_id)) == "finished"
    for measure, unit in (("error", "points"), ("loss", "nats")):
        page = open_scope(**{"scope:run": run_id, "scope-measure": measure})
        reader = page.session_state["scope:reader"]
        (figure,) = (found[2] for name, found in reader._drawn.items() if name.startswith("barrier"))
        assert unit in figure.layout.yaxis.title.text


def test_the_recorded_example_is_shown_before_anything_is_pressed(desk: Desk) -> None:
    page = opened("from pages.scope.page import page\npage()\n")
    assert page.query_params["run"] == "example:first-scope"
    assert "with scope alignment" in texts(page)


def test_of_a_deep_network_some_layers_are_drawn(open_scope: Open, desk: Desk) -> None:
    run_id = desk.store.create(small())
    layers = tuple(f"layer{number}.weight" for number in range(8))
    with RunWriter(desk.store.folder(run_id)) as writer:
        writer.emit(Scopes(step=0, series="plain:0", layers=layers, mu=(0.0,) * 8, sigma=(1.0,) * 8))
        page = open_scope()
        assert page.selectbox(key="scope-layers").options == ["layer0 to layer5", "layer6 to layer7"]


def barrier(side: str, step: int, error: float, distance: tuple[float, ...] = (0.1, 0.4)) -> Barrier:
    return Barrier(step=step, series=side, error=error, loss=0.5, distance=distance)


def histogram(series: str, layer: str, kurtosis: float, gap: float) -> Histogram:
    return Histogram(
        step=1, series=series, layer=layer, low=-1, high=1, counts=(1, 1), outside=0, mu=0, sigma=1,
        skewness=0.1, kurtosis=kurtosis, gap=gap,
    )  # fmt: skip


def test_normality_in_words() -> None:
    start = [histogram("start:0", layer, -1.2, 0.06) for layer in LAYERS]
    assert normality_sentence([]) == "Waiting for the initial weights."
    assert normality_sentence(start) == (
        "0 of 2 layers before training are close to Gaussian; least so conv1 (flat, no tails)."
    )
    events = [*start, histogram("aligned:1", "conv1.weight", 0.4, 0.01), histogram("aligned:1", "head.weight", 4, 0.2)]
    assert normality_sentence(events) == (
        "1 of 2 trained layers is close to Gaussian; least so head of B with (heavy tails)."
    )
    skewed = histogram("aligned:1", "conv1.weight", 1.4, 0.05)
    wide = histogram("aligned:1", "head.weight", 0.4, 0.2)  # further off, but of no kind of its own
    assert "least so conv1 of B with (heavy tails)" in normality_sentence([skewed, wide])
    assert normality_series(events) == ["start:0", "aligned:1"]
    assert [series_title(name) for name in ("start:0", "start:1", "plain:0", "aligned:1")] == [
        "Initial weights", "Initial weights B", "A without", "B with",
    ]  # fmt: skip
    assert normality_lines(events, LAYERS)[1] == (
        "**head**  \nInitial weights: flat, no tails (skewness 0.1, excess kurtosis −1.2)  \n"
        "B with: heavy tails (skewness 0.1, excess kurtosis 4.0)"
    )


def test_distances_and_scopes_in_words() -> None:
    assert distance_sentence([barrier("plain", 1, 0.1)]) == "Waiting for both sides."
    both = [barrier("plain", 1, 0.1), barrier("aligned", 1, 0.1, (0.01, 0.02))]
    assert "0.03 nats apart with alignment and 0.5 without" in distance_sentence(both)
    grown = [
        Scopes(step=step, series=f"{side}:0", layers=LAYERS, mu=(0.0, 0.0), sigma=(1.0, 1.0 + step * by))
        for side, by in (("plain", 2.0), ("aligned", 0.5))
        for step in (0, 1)
    ]
    assert target_sentence(grown) == (
        "The spreads are now 1.00 to 3.00 times those at the start without alignment, 1.00 to 1.50 times with it."
    )
    assert target_sentence([]) == "Waiting for the first epoch."


def test_paths_in_words() -> None:
    def path(series: str, middle: float) -> WeightPath:
        return WeightPath(step=1, series=series, t=(0, 0.5, 1), test_loss=(0, 0, 0), test_error=(0.1, middle, 0.3))

    assert "walked when the training ends" in path_sentence([path("plain", 0.5)])
    both = [path("plain", 0.9), path("aligned", 0.25)]
    expected = "On the straight line from A to B the barrier is 5.0 points with alignment, 70 points without"
    assert path_sentence(both) == f"{expected}."
    permuted = [path("plain:permuted", 0.5), path("aligned:permuted", 0.3)]
    also = "once units are put in one order, 10 points with and 30 points without"
    assert path_sentence([*both, *permuted]) == f"{expected}; {also}."


def test_sources_and_stages_in_words() -> None:
    def score(series: str, step: int, accuracy: float) -> Evaluation:
        return Evaluation(step=step, series=series, split="test", accuracy=accuracy, loss=1.0)

    events = [score("plain:0", 1, 0.5), score("plain:0", 2, 0.9), score("aligned:0", 2, 0.8)]
    assert sources_sentence(events) == "Test accuracy: A 80.0 % with alignment and 90.0 % without."
    assert sources_sentence([]) == "Waiting for the first epoch."
    merged = [score("plain:merged", 2, 0.5), score("aligned:merged", 2, 0.75), score("plain:merged", 4, 0.6)]
    assert stage_rows(merged) == [["1", "50.0 %", "75.0 %"], ["2", "60.0 %", "unknown"]]
    assert "<td>&lt;b&gt;</td>" in html_table(["x"], [["<b>"]])
