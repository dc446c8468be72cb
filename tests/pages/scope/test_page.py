"""The Scope page as its reader meets it: what it submits, what it shows, and what it says when it does not help."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.scope.setup import TARGETS, TITLES, UNITS, differences
from softmerge_core.events import Barrier, Progress, Scopes
from softmerge_core.experiments.scope.spec import FACTORS, ScopeSpec, SourceTraining, seed_of, sources_for
from softmerge_core.experiments.scope.words import MEANING
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import RunWriter, conduct
from softmerge_core.settings import DataSpec
from tests.pages.conftest import Desk, button, opened, press, started, texts

Open = Callable[..., AppTest]
LAYERS = ("conv1.weight", "head.weight")


@pytest.fixture
def open_scope(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the page, without a recorded run."""
    monkeypatch.setattr(RunStore, "examples", lambda self: [])

    def start(**state: object) -> AppTest:
        return opened("from pages.scope.page import page\npage()\n", **state)

    return start


def barrier(side: str, step: int, error: float, distance: tuple[float, ...] = (0.1, 0.4)) -> Barrier:
    return Barrier(step=step, series=side, error=error, loss=0.5, distance=distance)


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
    assert "Alignment does not always help" in texts(page)
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


@pytest.mark.parametrize("value", [1, 10**6])
def test_a_number_of_sources_that_cannot_be_is_told_and_start_waits(open_scope: Open, value: int) -> None:
    page = open_scope()
    page.number_input(key="scope-sources").set_value(value)
    page.run()
    assert not page.exception
    assert page.number_input(key="scope-sources").value == value
    told = [str(error.value) for error in page.error if "Number of sources can be at least 2" in str(error.value)]
    assert len(told) == 2
    assert button(page, "Start training").disabled


def test_a_target_that_is_no_source_cannot_be_started(open_scope: Open) -> None:
    page = open_scope(**{"scope-target": "source", "scope-target_source": 2})
    assert [error.value for error in page.error] == [
        "Chosen source: expected one of the sources 0 to 1, got 2\\."
    ]  # fmt: skip
    assert button(page, "Start training").disabled


def test_what_sources_do_otherwise_is_told() -> None:
    values = [source.model_dump() for source in sources_for("adam", 2)]
    assert differences(values) == "Source A: SGD, learning rate 0.05; B: Adam, learning rate 0.001."
    values = [source.model_dump() for source in sources_for("share", 2)]
    assert differences(values) == "Source A: SGD, learning rate 0.05; B: 20\u00a0% of the samples."
    same = [SourceTraining(label_noise=0.1, share=0.5).model_dump()] * 2
    assert differences(same) == (
        "Source A: SGD, learning rate 0.05, 10\u00a0% of the labels random, 50\u00a0% of the samples; "
        "B: the same, in another order of samples."
    )
    assert set(UNITS) == set(SourceTraining.model_fields) - {"seed"}


def test_a_finished_run_is_shown_with_its_verdict_and_stages(open_scope: Open, desk: Desk) -> None:
    run_id = desk.store.create(small(stages=2))
    assert conduct(desk.store.folder(run_id)) == "finished"
    page = open_scope(**{"scope:run": run_id})
    said = texts(page)
    assert re.search(r"\*\*After 4 of 4 epochs .* One seed\\\.\*\*", said)
    assert "average after each stage, one seed." in said
    assert "2 stages, each from the network merged before it" in said
    assert "On the straight line from A to B the barrier is" in said
    tables = [str(element.value) for element in page.html if "<table" in str(element.value)]
    assert tables[0].count("<tr>") == 3
    assert len(tables) == 1
    assert "A, plain: " in said
    assert "excess kurtosis" in said
    assert f"-{run_id}.json`" in said.partition("`python -m softmerge_core run scope-spec-")[2]


def test_a_live_run_is_followed(open_scope: Open, desk: Desk) -> None:
    run_id = started(desk.store.create(small()))
    with RunWriter(desk.store.folder(run_id)) as writer:
        for event in (*(barrier(side, 1, 0.3) for side in ("plain", "aligned")), Progress(step=2, total=4)):
            writer.emit(event)
        page = open_scope()
        assert page.query_params["run"] == run_id
        assert "**After 1 of 2 epochs scope alignment does not lower the error barrier" in texts(page)
        assert not button(page, "Start training").disabled


def test_the_barrier_is_drawn_in_error_or_in_loss(open_scope: Open, desk: Desk) -> None:
    run_id = desk.store.create(small())
    assert conduct(desk.store.folder(run_id)) == "finished"
    for measure, unit in (("error", "points"), ("loss", "nats")):
        page = open_scope(**{"scope:run": run_id, "scope-measure": measure})
        reader = page.session_state["scope:reader"]
        (figure,) = (found[2] for name, found in reader._drawn.items() if name.startswith("barrier"))
        assert unit in figure.figure().layout.yaxis.title.text


def test_the_recorded_example_is_shown_before_anything_is_pressed(desk: Desk) -> None:
    page = opened("from pages.scope.page import page\npage()\n")
    assert page.session_state["scope:reader"].run_id == "example:first-scope"
    assert "with scope alignment" in texts(page)


def test_of_a_deep_network_some_layers_are_drawn(open_scope: Open, desk: Desk) -> None:
    run_id = started(desk.store.create(small()))
    layers = tuple(f"layer{number}.weight" for number in range(8))
    with RunWriter(desk.store.folder(run_id)) as writer:
        writer.emit(Scopes(step=0, series="plain:0", layers=layers, mu=(0.0,) * 8, sigma=(1.0,) * 8))
        page = open_scope()
        assert page.selectbox(key="scope-layers").options == ["layer0 to layer5", "layer6 to layer7"]
