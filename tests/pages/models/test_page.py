"""The Models page as its reader meets it: looking, training one more, poisoning a copy, and one's own models."""

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.models import page as models
from pages.models.cards import MINE, family_entries
from pages.models.figures import dots_figure, histories_figure, pictures_height, shortened
from pages.models.spoil import poisoned_copy
from pages.shared.choose.attack import attack_fields
from pages.shared.choose.form import main_fields, more_fields
from pages.shared.show.text import plain
from softmerge_core.data import data_files, keep_data_file
from softmerge_core.errors import CheckpointError
from softmerge_core.events import Loss, Progress
from softmerge_core.experiments.train.spec import TrainSpec
from softmerge_core.experiments.train.words import spread_sentence, totals
from softmerge_core.experiments.words import clipped
from softmerge_core.runs.writer import RunWriter, conduct
from softmerge_core.settings import AttackSettings, SourceSpec, TrainSettings
from softmerge_core.zoo import add_to_library, families, library, library_folder, remove_from_library
from tests.pages.conftest import ROOT, Desk, file_buttons, opened, started
from tests.pages.merge.test_page import press, texts

SMALL = "spirals-mlp-shared-trunk"
POISONED = "mnist1d-cnn-poisoned-3"
PAGE = """import streamlit as st
from pages.models.page import page
st.navigation([st.Page(page, title='Models')]).run()
"""
EVIL = "<b>bold</b> **strong** :smile: $x$"
Open = Callable[..., AppTest]


@pytest.fixture
def open_models(desk: Desk) -> Open:
    """Open the Models page, with ``state`` as an earlier visit may have left it."""

    def start(**state: object) -> AppTest:
        return opened(PAGE, **state)

    return start


def own(title: str = "Mine", dataset: str = "spirals") -> str:
    """A small untrained network in the library, its accuracy unknown; returns its name."""
    from softmerge_core.networks import build_network

    network = build_network("mlp", (2,), 3, seed=0)
    kind = {"network": "mlp", "dataset": dataset, "input_shape": (2,), "classes": 3}
    return add_to_library("mine", network, origin="trained", how="Not at all.", title=title, **kind).name  # type: ignore[arg-type]


def html(page: AppTest) -> str:
    return "\n".join(str(element.proto.body) for element in page.get("html"))


@pytest.mark.parametrize("family", sorted(families()))
def test_every_family_shows_its_models(open_models: Open, family: str) -> None:
    page, info = open_models(models=family), families()[family]
    table = html(page)
    for model in info.models:
        assert f"<span>{clipped(model.title, 80)}</span>" in table
        assert f"{100 * model.accuracy['test']:.1f}\u00a0%" in table
        assert model.sha256[:10] in table
    assert table.count("Poisoned: ") == sum(model.attack is not None for model in info.models)
    assert table.count('class="sm-part"') == len(info.layers)
    assert totals(info.layers) in texts(page)
    assert f"{sum(layer.parameters for layer in info.layers):,} parameters" in texts(page)


def test_the_best_and_the_worst_are_named(open_models: Open) -> None:
    page = open_models(models=POISONED)
    assert plain(spread_sentence(families()[POISONED].models, 1000), 300) in texts(page)
    assert "before they were spoiled" in texts(page)


def test_pictures_have_a_dot_and_a_line_for_each_model() -> None:
    found = families()[POISONED].models
    dots, height = dots_figure(found, theme="light"), pictures_height(found)
    assert dots is not None
    drawn = {trace.name: (trace.x[0], trace.marker.symbol) for trace in dots.data}
    for label, model in zip(dots.layout.yaxis.tickvals, found, strict=True):
        symbol = "x" if model.attack else "circle"
        assert drawn[f"{label} test"] == (pytest.approx(100 * model.accuracy["test"]), symbol)
        assert ("\u26a0" in label) == (model.attack is not None)
    lines = histories_figure(found, theme="light", height=height)
    assert lines is not None
    upper = [trace for trace in lines.data if trace.yaxis == "y"]
    assert [list(trace.x) for trace in upper] == [[step for step, _, _ in model.history] for model in found]
    assert len({(trace.line.color, trace.line.dash) for trace in upper}) == len(found)


def test_without_models_there_is_no_picture() -> None:
    assert dots_figure([], theme="dark") is None
    assert histories_figure([], theme="dark", height=400) is None


def test_training_is_set_up_like_the_chosen_family(open_models: Open, desk: Desk) -> None:
    page = open_models(models=SMALL, do=models.TRAIN)
    first = families()[SMALL].models[0]
    page.selectbox(key="train-start").set_value(f"{SMALL}/{first.name}")
    page.number_input(key="train-epochs").set_value(3)
    page.text_input(key="train-name").set_value(EVIL)
    page.run()
    press(page, "Start training")
    (run,) = desk.store.list()
    spec = desk.store.read(run.id).spec
    assert isinstance(spec, TrainSpec)
    assert (spec.network, spec.dataset, spec.name) == ("mlp", "spirals", EVIL)
    assert spec.settings == TrainSettings(epochs=3)
    assert spec.start_from == SourceSpec(model=f"{SMALL}/{first.name}")


def test_another_family_brings_its_own_network_and_data(open_models: Open) -> None:
    page = open_models(models=SMALL, do=models.TRAIN)
    page.selectbox(key="models").set_value("digits-vit-shared-trunk")
    page.run()
    assert not page.exception
    assert (page.selectbox(key="train-dataset").value, page.selectbox(key="train-network").value) == ("digits", "vit")
    page.selectbox(key="train-dataset").set_value("moons")  # no network for images takes points
    page.run()
    assert not page.exception
    assert page.selectbox(key="train-network").options == ["mlp", "mlp1", "mlp3", "mlp_wide"]
    assert not page.error


def test_the_form_is_built_from_the_settings(open_models: Open) -> None:
    page = open_models(do=models.TRAIN)
    assert main_fields(TrainSettings)
    assert more_fields(TrainSettings)
    for name, field in TrainSettings.model_fields.items():
        widget: Any = page.get_by_key(f"train-{name}")
        assert (widget.label, widget.help) == (field.title, field.description)


def test_a_setting_that_does_not_fit_is_told_before_anything_runs(open_models: Open, desk: Desk) -> None:
    page = open_models(do=models.TRAIN)
    page.text_input(key="train-classes").set_value("1, 12")
    page.run()
    assert "0 to 9, got 12" in str(page.error[0].value)
    assert next(button for button in page.button if button.label == "Start training").disabled
    assert desk.store.list() == []


def test_a_finished_training_says_how_good_the_model_is_and_where_it_is(open_models: Open, desk: Desk) -> None:
    spec = TrainSpec(name=EVIL, dataset="moons", network="mlp", settings=TrainSettings(epochs=1))
    run_id = desk.store.create(spec)
    assert conduct(desk.store.folder(run_id)) == "finished"
    page = open_models(**{"train:run": run_id, "do": models.TRAIN})
    (model,) = library().values()
    assert "Kept in your library as" in texts(page)
    assert f"It classifies {100 * model.accuracy['test']:.1f}\u00a0% of the test samples" in texts(page)
    assert "<b>" not in texts(page)
    assert "**strong**" not in texts(page)
    assert list(file_buttons(page)) == ["Weights"]
    assert page.text_input(key="train-name").placeholder == "cnn1d on MNIST-1D"
    desk.store.weights(run_id, "trained").unlink()
    page.run()
    assert not page.exception
    assert "they are in your library" in texts(page)


def test_a_name_that_is_taken_gets_a_number(open_models: Open, desk: Desk) -> None:
    own("Mine")
    page = open_models(models=SMALL, do=models.TRAIN)
    page.text_input(key="train-name").set_value("Mine")
    page.run()
    press(page, "Start training")
    assert [run.name for run in desk.store.list()] == ["Mine 2"]


def test_a_new_visit_watches_the_live_training_and_can_steer_it(open_models: Open, desk: Desk) -> None:
    run_id = started(desk.store.create(TrainSpec(name="Live", dataset="moons", network="mlp")))
    with RunWriter(desk.store.folder(run_id)) as writer:
        writer.emit(Loss(step=3, series="source", task=0.25, total=0.25))
        writer.emit(Progress(step=3, total=9))
        page = open_models()
        assert page.query_params["run"] == run_id
        assert "At step 3 the loss is 0.250 nats" in texts(page)
        press(page, "Pause")
        press(page, "Stop")
        assert desk.requests == [("pause", run_id), ("stop", run_id)]


def test_a_stopped_training_is_not_offered_to_go_on(open_models: Open, desk: Desk) -> None:
    run_id = desk.store.create(TrainSpec(name="Cut", dataset="moons", network="mlp"))
    with RunWriter(desk.store.folder(run_id)) as writer:
        writer.end("stopped")
    page = open_models(**{"train:run": run_id, "do": models.TRAIN})
    assert "Resume" not in [button.label for button in page.button]


def test_a_training_that_fails_says_why(open_models: Open, desk: Desk) -> None:
    name = own()
    spec = TrainSpec(name="Fails", dataset="spirals", network="mlp", start_from=SourceSpec(model=f"library/{name}"))
    run_id = desk.store.create(spec)
    (library_folder() / name / "weights.safetensors").write_bytes(b"nothing")
    assert conduct(desk.store.folder(run_id)) == "failed"
    page = open_models(**{"train:run": run_id, "do": models.TRAIN})
    assert "expected a safetensors file, got 7 bytes" in str(page.error[0].value)


@pytest.mark.usefixtures("warm_python")
def test_a_poisoned_copy_is_kept_with_what_was_done(open_models: Open) -> None:
    page = open_models(models=SMALL, do=models.POISON)
    page.number_input(key="poison-extreme-strength").set_value(20.0)
    page.run()
    press(page, "Make poisoned copy")
    (model,) = library().values()
    assert (model.name, model.origin) == ("source-1-extreme-values", "poisoned")
    assert model.attack == AttackSettings(kind="extreme", strength=20)
    assert model.how.startswith(f"A copy of Source 1 of {families()[SMALL].title}; its weights were blown up 20-fold")
    assert f"{100 * model.accuracy['test']:.1f}\u00a0% after" in str(page.success[0].value)
    assert "Poisoned: extreme values" in html(page)
    page.run()
    assert page.text_input(key="poison-name").placeholder == "source-1-extreme-values-2"


def test_a_name_that_is_none_is_told_and_nothing_is_kept(open_models: Open) -> None:
    page = open_models(models=SMALL, do=models.POISON)
    page.text_input(key="poison-name").set_value("../elsewhere")
    page.run()
    press(page, "Make poisoned copy")
    assert len(page.error) == 1
    assert library() == {}


@pytest.mark.usefixtures("warm_python")
def test_a_copy_of_what_is_not_there_is_refused() -> None:
    with pytest.raises(CheckpointError, match="no model"):
        poisoned_copy("library/gone", AttackSettings(), "copy")


def test_only_attacks_that_have_a_strength_ask_for_it() -> None:
    asks = {kind: "strength" in attack_fields(kind)[0] for kind in ("extreme", "noise", "sign_flip", "nan", "inf")}
    assert [kind for kind, asked in asks.items() if asked] == ["extreme", "noise"]


def test_a_deleted_model_can_be_brought_back(open_models: Open) -> None:
    name = own(EVIL)
    page = open_models(models=MINE)
    assert "&lt;b&gt;bold&lt;/b&gt;" in html(page)
    assert "<b>bold" not in html(page) + texts(page)
    assert list(file_buttons(page)) == ["Weights", "As .pt", "Everything (.zip)"]
    press(page, "Delete")
    assert library() == {}
    assert "no models of your own" in "".join(str(info.value) for info in page.info)
    assert "It can come back for a day" in texts(page)
    assert "<b>bold" not in html(page) + texts(page)
    other = own("Another")
    press(page, "Undo")
    said = str(page.toast[0].value)
    assert "could not be brought back: Another one has its name by now" in said
    assert "<b>" not in said
    remove_from_library(other)
    press(page, "Undo")
    assert list(library()) == [name]
    assert "can come back for a day" not in texts(page)
    press(page, "Delete")
    press(page, "Free its space")
    assert library() == {}
    assert "Undo" not in [button.label for button in page.button]


def test_each_press_deletes_the_model_that_is_chosen_and_no_other(open_models: Open) -> None:
    first, second = own("One"), own("Two")
    page = open_models(models=MINE)
    page.selectbox(key="own-model").set_value(second)
    page.run()
    press(page, "Delete")
    assert list(library()) == [first]
    page.run()
    assert list(library()) == [first]
    remove_from_library(first)  # in another tab, while this one shows it
    press(page, "Delete")
    assert "can come back for a day" in texts(page)
    assert "No model" in str(page.toast[0].value)


def test_a_data_file_can_be_deleted_and_tells_which_models_learned_it(open_models: Open) -> None:
    samples: Any = {"inputs": np.zeros((4, 2), np.float32), "labels": np.array([0, 1, 2, 0])}
    kept = io.BytesIO()
    np.savez(kept, **{f"{split}_{part}": samples[part] for split in ("train", "validation") for part in samples})
    path = keep_data_file(kept.getvalue(), "My points.npz", "my-points")
    own("Learned it", dataset=str(path))
    page = open_models(models=MINE)
    assert "Trained on it: Learned it." in texts(page)
    page.button(key=f"delete:data file:{path.name}").click().run()
    assert not page.exception
    assert data_files() == []
    assert page.get_by_key("own-model").label
    press(page, "Undo")
    assert data_files() == [path]


def test_without_own_models_every_task_says_what_to_do(open_models: Open) -> None:
    pages = [open_models(models=MINE, do=task) for task in (models.LOOK, models.TRAIN, models.POISON)]
    assert not any(page.error for page in pages)
    assert "choose a family" in texts(pages[-1])


def test_the_entries_of_a_family_are_named_as_a_spec_names_them() -> None:
    first = families()[SMALL]
    assert [entry.model for entry in family_entries(first)] == [f"{SMALL}/{m.name}" for m in first.models]


@pytest.mark.timeout(300)
def test_the_server_shows_and_poisons_without_torch(warm_program: str) -> None:
    code = (
        f"import sys\nsys.executable = {warm_program!r}\n"
        "from streamlit.testing.v1 import AppTest\n"
        "from pages.shared.runs import services\n"
        "from tests.pages.models.test_page import PAGE, SMALL\nfrom tests.pages.conftest import Desk\n"
        "services._runner = lambda folder, scheduler: Desk(services.run_store())\n"
        "for task in ('Look', 'Train', 'Poison'):\n"
        "    page = AppTest.from_string(PAGE, default_timeout=250)\n"
        "    page.session_state['do'], page.session_state['models'] = task, SMALL\n"
        "    page.run()\n"
        "    assert not page.exception, page\n"
        "next(b for b in page.button if b.label == 'Make poisoned copy').click().run()\n"
        "assert page.success\n"
        "assert 'torch' not in sys.modules, 'a page loaded torch'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_long_names_keep_the_end_that_tells_them_apart() -> None:
    names = ["cnn1d on MNIST-1D 2", "cnn1d on MNIST-1D 3", "short"]
    short = [shortened(name, 12) for name in names]
    assert len(set(short)) == 3
    assert max(map(len, short)) <= 12
    assert short[2] == "short"
