"""The Merge page as its reader meets it: what it shows, what it submits, and what it says when it cannot."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from datetime import UTC, datetime

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from pages.merge.outcome import accuracy_table
from pages.merge.pictures import BOUNDARY, cell_text
from pages.merge.setup import _network, state_of
from pages.shared.choose.form import main_fields
from pages.shared.choose.sources import AT_ONCE, PickedSource
from pages.shared.runs import measuring
from pages.shared.runs.reader import RunReader
from pages.shared.show.live_plot import Click
from softmerge_core.events import Boundary, Evaluation, Gates, Progress, Stage
from softmerge_core.experiments.admission import FIRST
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.merge.words import gain_sentence
from softmerge_core.home import home
from softmerge_core.networks import build_network
from softmerge_core.runs import RunStore, files
from softmerge_core.runs.store import create_folder
from softmerge_core.runs.writer import RunWriter, conduct
from softmerge_core.settings import AttackSettings, DataSpec, SoftMergeSettings, SourceSpec
from softmerge_core.zoo import (
    LibraryModel,
    add_to_library,
    families,
    library,
    own_families,
    remove_from_library,
    spoiled_accuracy,
)
from tests.pages.conftest import ROOT, Desk, file_buttons, press, started

SMALL = "spirals-mlp-shared-trunk"
EVIL = "<b>bold</b> **strong** :smile: $x$"
Open = Callable[..., AppTest]


def spec_of(family: str = SMALL, attacks: tuple[str | None, ...] = (None, None), **settings: object) -> MergeSpec:
    """A merge of the first sources of a family, quickly done."""
    info = families()[family]
    sources = tuple(
        SourceSpec(model=f"{family}/{model.name}", attack=AttackSettings(kind=kind) if kind else None)  # type: ignore[arg-type]
        for model, kind in zip(info.models, attacks, strict=False)
    )
    quick = SoftMergeSettings.model_validate({"granularity": "layer", "steps": 3, **settings})
    return MergeSpec(name="Small", sources=sources, data=DataSpec(dataset=info.dataset), settings=quick)


def start_button(page: AppTest) -> object:
    return next(button for button in page.button if button.label == "Start merging")


def texts(page: AppTest) -> str:
    """Everything the page says in words."""
    kinds = (page.markdown, page.caption, page.error, page.warning, page.text, page.success, page.info)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def tables(page: AppTest) -> str:
    return "".join(str(element.value) for element in page.html if "<table" in str(element.value))


def submitted(desk: Desk) -> MergeSpec:
    (run,) = desk.store.list()
    spec = desk.store.read(run.id).spec
    assert isinstance(spec, MergeSpec)
    return spec


def test_a_recorded_run_is_there_before_anything_is_pressed(open_app: Open, desk: Desk) -> None:
    page = open_app()
    assert "Soft merging is" in texts(page)
    assert "Weights will take about" in texts(page)
    assert "run" not in page.query_params  # which stands for the example
    assert "Plain average" in tables(page)
    assert desk.store.list() == []


def test_without_a_recorded_run_the_page_says_what_will_be_shown(
    open_app: Open, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunStore, "examples", lambda self: [])
    page = open_app()
    assert "Each row is a part of the network" in texts(page)
    assert "Plain average" not in tables(page)


def test_the_first_press_merges_the_first_sources_of_the_first_family(open_app: Open, desk: Desk) -> None:
    press(open_app(), "Start merging")
    spec = submitted(desk)
    names = [f"{FIRST}/{model.name}" for model in families()[FIRST].models[:AT_ONCE]]
    assert [source.model for source in spec.sources] == names
    assert spec.settings == SoftMergeSettings()
    assert spec.data == DataSpec(dataset=families()[FIRST].dataset)


def test_what_is_chosen_is_what_is_submitted(open_app: Open, desk: Desk) -> None:
    page = open_app(family=SMALL)
    first, second = families()[SMALL].models[:2]
    page.toggle(key=f"use:{SMALL}/{first.name}").set_value(False)
    page.session_state[f"poison:{SMALL}/{second.name}"] = "noise"
    page.number_input(key="penalty").set_value(0.01)
    page.number_input(key="steps").set_value(7)
    page.number_input(key="train_samples").set_value(50)
    page.session_state["granularity"] = "channel"
    page.session_state[f"parts:{SMALL}"] = {families()[SMALL].layers[0].name: "average"}
    page.run()
    press(page, "Start merging")
    spec = submitted(desk)
    assert f"{SMALL}/{first.name}" not in [source.model for source in spec.sources]
    assert spec.sources[0].attack == AttackSettings(kind="noise", strength=3)
    assert (spec.settings.penalty, spec.settings.steps, spec.settings.granularity) == (0.01, 7, "channel")
    assert spec.settings.parts == {families()[SMALL].layers[0].name: "average"}
    assert spec.data.train_samples == 50


@pytest.mark.parametrize("family", sorted(families()))
def test_every_family_can_be_chosen(open_app: Open, family: str) -> None:
    page = open_app(family=family)
    toggles = [toggle.key for toggle in page.toggle if str(toggle.key).startswith("use:")]
    assert toggles == [f"use:{family}/{model.name}" for model in families()[family].models]
    spoiled = sum(model.attack is not None for model in families()[family].models)
    assert sum("Poisoned" in str(caption.value) for caption in page.caption) == spoiled
    assert not start_button(page).disabled  # type: ignore[attr-defined]


def test_every_setting_has_its_label_and_help(open_app: Open) -> None:
    page = open_app()
    assert main_fields(SoftMergeSettings)
    for name, field in SoftMergeSettings.model_fields.items():
        if name != "parts":
            widget = page.get_by_key(name)
            assert (widget.label, widget.help) == (field.title, field.description)


def test_devices_are_those_that_the_workers_have_and_another_is_told(open_app: Open, desk: Desk) -> None:
    desk.found = ("cpu", "cuda:0")
    page = open_app(family=SMALL)
    assert page.selectbox(key="device").options == ["auto", "cpu", "cuda:0"]
    assert page.selectbox(key="device").value == "cpu"
    page = open_app(family=SMALL, device="cuda:1")
    assert page.selectbox(key="device").value == "cuda:1"
    assert ["is not there; there are: auto, cpu," in str(error.value) for error in page.error] == [True, True]
    assert start_button(page).disabled  # type: ignore[attr-defined]
    page.selectbox(key="device").set_value("auto")
    page.run()
    press(page, "Start merging")
    assert submitted(desk).settings.device == "auto"


def test_an_attack_out_of_its_range_is_told_and_start_waits(open_app: Open, desk: Desk) -> None:
    name = f"{SMALL}/{families()[SMALL].models[0].name}"
    page = open_app(family=SMALL, **{f"poison:{name}": "noise"})
    page.number_input(key=f"poison:{name}:noise:strength").set_value(-1.0)
    page.run()
    assert not page.exception
    assert start_button(page).disabled  # type: ignore[attr-defined]
    assert any("Strength: expected at least 0, got" in str(error.value) for error in page.error)


def test_a_poisoned_source_shows_how_accurate_it_is_then_and_is_measured_once(open_app: Open, desk: Desk) -> None:
    model, poisoned = families()[SMALL].models[0], families()["mnist1d-cnn-poisoned-1"].models
    name, before = f"{SMALL}/{model.name}", f"{100 * model.accuracy['test']:.1f}\u00a0%"
    assert f"**{before}**" in texts(open_app(family=SMALL))
    desk.accuracy = 0.1234
    for _ in range(2):
        page = open_app(family=SMALL, **{f"poison:{name}": "noise"})
        assert "**12.3\u00a0%**" in texts(page)
        assert f"Noise] Before: {before}." in texts(page)
    assert desk.asked == [(spoiled_accuracy, SourceSpec(model=name, attack=AttackSettings(kind="noise", strength=3)))]
    page = open_app(family="mnist1d-cnn-poisoned-1")
    for model in poisoned:
        assert f"**{100 * model.accuracy['test']:.1f}\u00a0%**" in texts(page)
    assert "Before: " not in texts(page)  # what it was is not known


def test_while_it_is_measured_the_card_says_so(open_app: Open, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Future[float]] = []
    monkeypatch.setattr(measuring, "PATIENCE", 0.01)
    monkeypatch.setattr(desk, "compute", lambda *_: asked.append(Future()) or asked[-1])
    state = {"family": SMALL, f"poison:{SMALL}/{families()[SMALL].models[0].name}": "noise"}
    assert "*being measured*" in texts(open_app(**state))
    asked[0].set_result(0.5)
    assert "**50.0\u00a0%**" in texts(open_app(**state))
    assert len(asked) == 1


def test_networks_of_ones_own_are_a_family_and_their_run_brings_the_page_back(open_app: Open, desk: Desk) -> None:
    for seed in range(3):
        add_to_library(
            f"net-{seed}",
            build_network("mlp", (2,), 2, seed),
            origin="uploaded",
            network="mlp",
            dataset="moons",
            input_shape=(2,),
            classes=2,
            how="Brought along.",
        )
    (family,) = own_families().values()
    page = open_app(family=family.name)
    assert page.selectbox(key="family").value == family.name
    page.toggle(key="use:library/net-1").set_value(False).run()
    press(page, "Start merging")
    spec = submitted(desk)
    assert [source.model for source in spec.sources] == ["library/net-0", "library/net-2"]
    assert spec.data.dataset == "moons"
    state = state_of(spec)
    assert state["family"] == family.name
    taken = {name: state[f"use:{name}"] for name in map(family.source, family.models)}
    assert taken == {"library/net-0": True, "library/net-1": False, "library/net-2": True}


def test_one_source_is_too_few(open_app: Open, desk: Desk) -> None:
    page = open_app(family=SMALL)
    for model in families()[SMALL].models[1:]:
        page.toggle(key=f"use:{SMALL}/{model.name}").set_value(False)
    page.run()
    assert [error.value for error in page.error] == ["Choose two or more sources: 1 is chosen\\."]
    assert start_button(page).disabled  # type: ignore[attr-defined]


def test_a_source_of_another_architecture_is_named(open_app: Open, desk: Desk) -> None:
    from softmerge_core.zoo import add_poisoned_copy

    other = add_poisoned_copy("moons-mlp-label-noise/source-1", AttackSettings(kind="sign_flip"))
    page = open_app(**{"family": SMALL, "own-models": [other.name]})
    (error,) = page.error
    assert "cannot be merged" in str(error.value)
    assert start_button(page).disabled  # type: ignore[attr-defined]
    page.multiselect(key="own-models").set_value([])
    page.run()
    assert not page.error


def test_no_training_or_validation_samples_is_told(open_app: Open) -> None:
    page = open_app(family=SMALL)
    page.number_input(key="validation_samples").set_value(0)
    page.run()
    assert "No validation data" in str(page.error[0].value)
    assert start_button(page).disabled  # type: ignore[attr-defined]


def test_a_label_outside_the_classes_is_told(open_app: Open) -> None:
    folder = home() / "data"
    folder.mkdir(parents=True)
    inputs, labels = np.zeros((6, 2), np.float32), np.array([0, 1, 2, 0, 1, 7])
    splits = {"train_inputs": inputs, "train_labels": labels, "validation_inputs": inputs, "validation_labels": labels}
    np.savez(folder / "own.npz", **splits)
    page = open_app(**{"family": SMALL, "own-data": str(folder / "own.npz")})
    (error,) = page.error
    assert "classes" in str(error.value)
    assert start_button(page).disabled  # type: ignore[attr-defined]


def test_a_number_outside_its_limits_is_told_and_keeps_the_run_from_starting(open_app: Open) -> None:
    page = open_app(penalty=11.0)
    assert "at most 10; 11 is not possible" in str(page.error[0].value)
    assert start_button(page).disabled  # type: ignore[attr-defined]


def test_a_model_that_was_deleted_elsewhere_is_named(open_app: Open) -> None:
    page = open_app(**{"own-models": ["long-gone"]})
    assert "long\\-gone is no longer in your library" in str(page.warning[0].value)


def test_the_strip_is_that_of_sources_of_another_architecture() -> None:
    info, other = families()[FIRST], families()[SMALL]
    values = {**other.models[0].model_dump(), "name": "mine", "origin": "uploaded"}
    values |= {field: getattr(other, field) for field in ("dataset", "network", "input_shape", "classes", "layers")}
    (home() / "models" / "mine").mkdir(parents=True)
    (home() / "models" / "mine" / "info.json").write_text(LibraryModel.model_validate(values).model_dump_json())
    own, zoo = (PickedSource(SourceSpec(model=model), "it") for model in ("library/mine", f"{FIRST}/source-1"))
    assert _network(info, [own]) == ("library/mine", other.layers)
    assert _network(info, [zoo, own]) == _network(info, []) == (FIRST, info.layers)


def test_settings_that_contradict_each_other_are_told(open_app: Open) -> None:
    page = open_app()
    page.text_input(key="stretch").set_value("0.1, 1.1")
    page.run()
    assert "stretch must reach below 0" in str(page.error[0].value)


def test_a_source_that_is_not_finite_fails_before_training_with_its_name(open_app: Open, desk: Desk) -> None:
    run_id = desk.store.create(spec_of(attacks=(None, "nan")))
    assert conduct(desk.store.folder(run_id)) == "failed"
    page = open_app(**{"merge:run": run_id})
    assert len(page.error) == 1
    assert "NaN or Inf" in str(page.error[0].value)
    assert not start_button(page).disabled  # type: ignore[attr-defined]


def test_a_finished_run_says_what_was_gained_and_why(open_app: Open, desk: Desk) -> None:
    run_id = desk.store.create(spec_of())
    assert conduct(desk.store.folder(run_id)) == "finished"
    page = open_app(**{"merge:run": run_id})
    result = desk.store.read(run_id).result
    assert result is not None
    assert f"**{gain_sentence(result, result['samples']['test'])}**" in texts(page)
    assert "validation loss" in texts(page)
    table = accuracy_table(result)
    assert len(table) == 5 + len(result["source_names"]), "four ways, the trunk, and the sources"
    assert table[0][:2] == ("Soft merge", f"{100 * result['accuracy']['soft']:.1f}\u00a0%")
    assert all(cell in tables(page) for row in table for cell in row)
    expected = ["CSV", "Merged weights", "As .pt", "Everything (.zip)", "Gates", "Spec", "Bundle", "Replay (HTML)"]
    assert list(file_buttons(page)) == expected
    assert "closed everywhere" in texts(page)  # in plain words, above the validation losses
    assert f"-{run_id}.json --out merged`" in texts(page).partition("`python -m softmerge_core merge merge-spec-")[2]


@pytest.mark.usefixtures("warm_python")
def test_the_merged_network_can_be_kept_and_takes_part_in_the_next_merge(open_app: Open, desk: Desk) -> None:
    run_id = desk.store.create(spec_of().model_copy(update={"name": EVIL}))
    assert conduct(desk.store.folder(run_id)) == "finished"
    page = press(open_app(**{"merge:run": run_id}), "Keep in library")
    (model,) = library().values()
    assert (model.origin, model.title) == ("merged", f"Merged: {EVIL}")
    assert "In your library" in texts(page)
    assert "<b>" not in str(page.toast[0].value)
    (family,) = own_families().values()
    assert family.title in page.selectbox(key="family").options
    again = open_app(**{"merge:run": run_id})  # another session knows it by the hash in its file
    assert "In your library" in texts(again)
    assert "Keep in library" not in [button.label for button in again.button]
    remove_from_library(model.name)
    assert "Keep in library" in [button.label for button in open_app(**{"merge:run": run_id}).button]


@pytest.mark.usefixtures("warm_python")
def test_a_network_that_cannot_be_kept_is_told(open_app: Open, desk: Desk) -> None:
    run_id = desk.store.create(spec_of())
    assert conduct(desk.store.folder(run_id)) == "finished"
    desk.store.weights(run_id, "merged").write_bytes(b"nothing")
    page = press(open_app(**{"merge:run": run_id}), "Keep in library")
    assert "erged\\.safetensors: expected a safetensors file, got 7 bytes" in str(page.toast[0].value)
    assert library() == {}


def test_the_shipped_run_shows_the_network_that_was_kept_and_the_paper(open_app: Open) -> None:
    said = texts(open_app())
    assert said.count("Kept: channel gates, refined") == 2  # gates and accuracy
    assert "At the kept step " in said
    assert "Every layer is a mixture" in said
    assert "https://arxiv.org/abs/2309.12259" in said


def test_decisions_of_an_older_run_are_said_to_be_the_last_stages(desk: Desk) -> None:
    run_id = desk.store.create(spec_of())
    assert conduct(desk.store.folder(run_id)) == "finished"
    reader = RunReader(desk.store, run_id)
    assert "Its decision at each point" in BOUNDARY.words(reader)
    (old,) = [event for event in reader.events if isinstance(event, Boundary)]
    reader._newest["boundary:soft"] = old.model_copy(update={"kept": False, "step": 99})
    assert "decisions of the last stage" in BOUNDARY.words(reader)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gates", "hidden1, channels 4 to 5 from clothes-expert: mean P(open) ="),
        ("factor", "hidden1, channels 4 to 5: the merged weights are"),
    ],
)
def test_a_clicked_cell_is_told_with_layer_and_channel(desk: Desk, name: str, said: str) -> None:
    reader = RunReader(desk.store, "example:first-look")
    click = Click(count=1, curve=0, name=name, point=None, row=2, col=1, x=None, y=None, customdata=None)
    assert cell_text(reader, click).startswith(said)
    assert cell_text(reader, None) == "Click a cell to read it."


def live_run(desk: Desk) -> tuple[str, RunWriter]:
    """A run that somebody is writing, with its first events."""
    run_id = started(desk.store.create(spec_of()))
    writer = RunWriter(desk.store.folder(run_id))
    writer.__enter__()
    writer.emit(Stage(step=0, stage="layer", title="layer gates", parts=("hidden1",), sources=("a", "b")))
    writer.emit(Gates(step=0, stage="layer", probability=((0.9, 0.9),), value=((1.0, 0.0),)))
    writer.emit(Evaluation(step=0, series="soft", split="validation", accuracy=0.5, loss=1))
    writer.emit(Progress(step=1, total=4))
    return run_id, writer


def test_a_new_visit_finds_the_live_run_and_can_steer_it(open_app: Open, desk: Desk) -> None:
    run_id, writer = live_run(desk)
    try:
        page = open_app()
        assert page.query_params["run"] == run_id
        assert "1 of 2 sources is closed everywhere" in texts(page)
        assert not start_button(page).disabled  # type: ignore[attr-defined]
        press(page, "Pause")
        press(page, "Stop")
        assert desk.requests == [("pause", run_id), ("stop", run_id)]
    finally:
        writer.__exit__(None, None, None)


def test_a_run_that_was_cut_short_says_so_and_can_be_resumed(open_app: Open, desk: Desk) -> None:
    run_id, writer = live_run(desk)
    writer.__exit__(None, None, None)  # as when its process is killed
    page = open_app(**{"merge:run": run_id})
    assert "can be resumed" in str(page.warning[0].value)
    press(page, "Resume")
    assert desk.requests == [("resume", run_id)]


def test_an_unknown_run_in_the_address_is_told_and_the_page_works(open_app: Open, desk: Desk) -> None:
    page = open_app(**{"merge:run": "20200101-000000-00000000"})
    assert "Unknown run" in str(page.warning[0].value)
    press(page, "Start merging")
    assert len(desk.store.list()) == 1


def test_a_damaged_run_leaves_the_page_usable(open_app: Open, desk: Desk) -> None:
    run_id = desk.store.create(spec_of())
    (desk.store.folder(run_id) / files.SPEC).write_text("not JSON")
    page = open_app(**{"merge:run": run_id})
    assert len(page.warning) == 1
    assert not start_button(page).disabled  # type: ignore[attr-defined]


def test_names_are_shown_letter_by_letter(open_app: Open, desk: Desk) -> None:
    name = "<b>bold</b> **strong** :smile: $x$ [link](http://example.org)"
    create_folder(desk.store.root / "20260101-000000-aaaaaaaa", spec_of().model_copy(update={"name": name}), NOW)
    page = open_app(**{"merge-earlier": True})
    (label,) = [button.label for button in page.button if "bold" in button.label]
    assert "<b>" not in label
    assert "**strong" not in label
    assert ":smile:" not in label
    assert "](" not in label


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_server_shows_the_page_without_torch() -> None:
    code = (
        "import sys\n"
        "from streamlit.testing.v1 import AppTest\n"
        "from pages.shared.runs import services\n"
        "from tests.pages.conftest import APP, Desk\n"
        "services._runner = lambda folder, scheduler: Desk(services.run_store())\n"
        "page = AppTest.from_string(APP, default_timeout=60).run()\n"
        "assert not page.exception and page.progress, page\n"
        "next(b for b in page.button if b.label == 'Start merging').click().run()\n"
        "assert services.run_store().list()\n"
        "assert 'torch' not in sys.modules, 'a page loaded torch'\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
