"""The Compare page as its reader meets it: what it submits, what it shows, and what it says when it cannot."""

from collections.abc import Callable

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.choose.sources import AT_ONCE, FIRST
from softmerge_core.events import Progress, Score
from softmerge_core.experiments.compare.spec import CompareSpec, MethodChoice
from softmerge_core.methods import available_methods
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import RunWriter, conduct
from softmerge_core.settings import AttackSettings, DataSpec, SourceSpec
from softmerge_core.zoo import families
from tests.experiments.library import trained
from tests.pages.conftest import Desk, button, file_buttons, opened, press, started, texts

SMALL = "moons-mlp-label-noise"
CHEAP = ("average", "median", "ties")
Open = Callable[..., AppTest]


@pytest.fixture
def open_compare(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the page, without a recorded run."""
    monkeypatch.setattr(RunStore, "examples", lambda self: [])

    def start(**state: object) -> AppTest:
        return opened("from pages.compare.page import page\npage()\n", **state)

    return start


def spec_of(*methods: str) -> CompareSpec:
    """A comparison that is quickly done."""
    info = families()[SMALL]
    sources = tuple(SourceSpec(model=f"{SMALL}/{model.name}") for model in info.models[:3])
    choices = tuple(MethodChoice(method=name) for name in methods or CHEAP)
    return CompareSpec(name="Small", sources=sources, data=DataSpec(dataset=info.dataset), methods=choices, seeds=1)


def submitted(desk: Desk) -> CompareSpec:
    (run,) = desk.store.list()
    spec = desk.store.read(run.id).spec
    assert isinstance(spec, CompareSpec)
    return spec


def test_the_first_press_compares_every_method_on_the_first_sources(open_compare: Open, desk: Desk) -> None:
    page = open_compare()
    assert "A dot for every method" in texts(page)
    assert not page.dataframe
    press(page, "Start comparing")
    spec = submitted(desk)
    assert [choice.method for choice in spec.methods] == list(available_methods())
    assert all(choice.settings == {} for choice in spec.methods)
    assert [source.model for source in spec.sources] == [
        f"{FIRST}/{model.name}" for model in families()[FIRST].models[:AT_ONCE]
    ]
    assert (spec.align, spec.repair, spec.seeds) == ("none", False, 3)


def test_what_is_chosen_is_what_is_submitted(open_compare: Open, desk: Desk) -> None:
    page = open_compare(family=SMALL, **{"compare-methods": ["ties", "average"]})
    second = families()[SMALL].models[1].name
    page.session_state[f"poison:{SMALL}/{second}"] = "nan"
    page.session_state["compare-align"] = "weights"
    page.toggle(key="compare-repair").set_value(True)
    page.number_input(key="compare-seeds").set_value(2)
    page.number_input(key="compare-train_samples").set_value(50)
    page.session_state["compare-non_finite"] = "exclude"
    page.number_input(key="ties:density").set_value(0.5)
    page.run()
    press(page, "Start comparing")
    spec = submitted(desk)
    assert spec.methods == (
        MethodChoice(method="average"),
        MethodChoice(method="ties", settings={"density": 0.5}),
    )
    attack = spec.sources[1].attack
    assert isinstance(attack, AttackSettings)
    assert attack.kind == "nan"
    assert (spec.align, spec.repair, spec.seeds, spec.non_finite) == ("weights", True, 2, "exclude")
    assert spec.data.train_samples == 50


def test_settings_of_a_method_are_kept_when_those_of_another_are_shown(open_compare: Open, desk: Desk) -> None:
    page = open_compare(family=SMALL, **{"compare-methods": ["ties", "krum"], "compare-tune": "ties"})
    page.number_input(key="ties:density").set_value(0.5)
    page.run()
    page.selectbox(key="compare-tune").set_value("krum")
    page.run()
    page.number_input(key="krum:keep").set_value(2)
    page.run()
    press(page, "Start comparing")
    kept = {choice.method: choice.settings for choice in submitted(desk).methods}
    assert kept == {"ties": {"density": 0.5}, "krum": {"keep": 2}}


@pytest.mark.parametrize("name", [name for name, m in available_methods().items() if m.settings.model_fields])
def test_every_method_has_its_settings_in_the_form(open_compare: Open, name: str) -> None:
    page = open_compare(**{"compare-tune": name})
    for field, about in available_methods()[name].settings.model_fields.items():
        widget = page.get_by_key(f"{name}:{field}")
        assert (widget.label, widget.help) == (about.title, about.description)


VGG, VIT = "digits-vgg-label-noise", "digits-vit-shared-trunk"
MIXED = {"family": VGG, "compare-others": [f"{VIT}/source-2"]}
ACROSS = ["distillation", "distillation_anew", "ensemble", "fine_tuned_source"]


def pills(page: AppTest, key: str) -> list[str]:
    """The ways to merge that are offered, by their titles."""
    return [option.content for option in page.get_by_key(key).proto.options]


def test_sources_of_another_architecture_leave_the_ways_that_work_across(open_compare: Open, desk: Desk) -> None:
    page = open_compare(**MIXED)
    (said,) = [info.value for info in page.info if "architectures" in info.value]
    assert "The sources are 4 vgg and 1 vit" in said
    assert "optimal transport bridges only widths; distillation can learn from all of them" in said
    assert pills(page, "compare-methods-architectures") == [available_methods()[name].title for name in ACROSS]
    assert not page.error
    drawn = {element.key for kind in ("selectbox", "toggle", "button_group") for element in page.get(kind)}
    assert not drawn & {"compare-align", "compare-repair", "compare-base", "compare-methods"}
    page.selectbox(key="compare-target").set_value(f"{VIT}/source-2")
    page.run()
    press(page, "Start comparing")
    spec = submitted(desk)
    assert [choice.method for choice in spec.methods] == ACROSS
    assert [source.model for source in spec.sources] == [
        *(f"{VGG}/source-{number}" for number in (1, 2, 3, 4)), f"{VIT}/source-2"
    ]  # fmt: skip
    assert (spec.target, spec.align, spec.repair) == (f"{VIT}/source-2", "none", False)


def test_the_choice_of_other_architectures_goes_with_the_family_and_is_undone(open_compare: Open) -> None:
    page = open_compare(**MIXED)
    offered = page.multiselect(key="compare-others").options
    assert any(option.startswith("Digits ViT, shared trunk: Source 2 (86.6") for option in offered)
    assert not any("VGG" in option or "MNIST" in option for option in offered)
    page.multiselect(key="compare-others").set_value([])
    page.run()
    assert pills(page, "compare-methods") == [method.title for method in available_methods().values()]
    moons = open_compare(family=SMALL)  # no other architecture learned these
    assert not [found for found in moons.multiselect if found.key == "compare-others"]


def test_two_widths_are_offered_optimal_transport(open_compare: Open) -> None:
    page = open_compare(family="spirals-mlp-shared-trunk", **{"compare-others": ["spirals-mlp-wide/source-1"]})
    assert "Optimal transport" in pills(page, "compare-methods-widths")
    assert any("They have the same layers, of other widths" in info.value for info in page.info)


def test_a_target_that_no_longer_takes_part_is_forgotten(open_compare: Open, desk: Desk) -> None:
    page = open_compare(**MIXED, **{"compare-target": f"{VGG}/source-3"})
    page.toggle(key=f"use:{VGG}/source-3").set_value(False)
    page.run()
    press(page, "Start comparing")
    assert submitted(desk).target == ""


def test_own_networks_of_another_kind_take_part_too(open_compare: Open, desk: Desk) -> None:
    trained("wide", 0, network="mlp_wide")
    page = open_compare(family=SMALL, **{"own-models": ["wide"], "compare-methods-widths": ["ensemble", "transport"]})
    assert not page.error
    press(page, "Start comparing")
    spec = submitted(desk)
    assert [choice.method for choice in spec.methods] == ["ensemble", "transport"]
    assert spec.sources[-1].model == "library/wide"


def test_a_finished_run_of_two_widths_says_what_each_gained(open_compare: Open, desk: Desk) -> None:
    models = ("spirals-mlp-shared-trunk/source-1", "spirals-mlp-wide/source-1")
    spec = CompareSpec(
        sources=tuple(SourceSpec(model=model) for model in models), data=DataSpec(dataset="spirals"), target=models[0],
        methods=(MethodChoice(method="transport"), MethodChoice(method="ensemble")), seeds=1,
    )  # fmt: skip
    run_id = desk.store.create(spec)
    assert conduct(desk.store.folder(run_id)) == "finished"
    page = open_compare(**{"compare:run": run_id})
    assert "Into the architecture of Source 1 \\(mlp\\): Optimal transport" in texts(page)
    frame: pd.DataFrame = page.dataframe[0].value
    assert {"Source 1 (mlp)", "Source 1 (mlp_wide)", "Optimal transport", "Ensemble"} <= set(frame["Method"])


def test_all_and_none_of_the_methods(open_compare: Open) -> None:
    page = press(open_compare(family=SMALL), "None")
    assert [error.value for error in page.error] == ["Choose one method or more\\."]
    assert button(page, "Start comparing").disabled
    assert not press(page, "All").error
    assert not button(page, "Start comparing").disabled


def test_one_source_is_too_few(open_compare: Open) -> None:
    page = open_compare(family=SMALL)
    for model in families()[SMALL].models[1:]:
        page.toggle(key=f"use:{SMALL}/{model.name}").set_value(False)
    page.run()
    assert [error.value for error in page.error] == ["Choose two or more sources: 1 is chosen\\."]
    assert button(page, "Start comparing").disabled


def test_what_is_wrong_with_data_is_told(open_compare: Open) -> None:
    page = open_compare(family=SMALL)
    page.number_input(key="compare-validation_samples").set_value(0)
    page.run()
    assert "No validation data" in str(page.error[0].value)


def test_a_finished_run_is_a_sentence_a_table_and_downloads(open_compare: Open, desk: Desk) -> None:
    run_id = desk.store.create(spec_of())
    assert conduct(desk.store.folder(run_id)) == "finished"
    page = open_compare(**{"compare:run": run_id})
    assert "Among the best: " in texts(page)
    frame: pd.DataFrame = page.dataframe[0].value
    shown = dict(zip(frame["Method"], frame["Accuracy"], strict=True))
    result = desk.store.read(run_id).result
    assert result is not None
    for entry in result["rows"]:
        if entry.get("accuracy") and "title" in entry:
            assert shown[entry["title"]] == pytest.approx(100 * entry["accuracy"]["mean"], abs=0.0501)
    assert {"Best source", "Source 1"} <= set(shown)
    assert list(file_buttons(page)) == ["Table", "Spec", "Bundle"]
    assert f"-{run_id}.json`" in texts(page).partition("`python -m softmerge_core compare compare-spec-")[2]


def test_numbers_of_labels_are_submitted_and_their_cost_is_told_before(open_compare: Open, desk: Desk) -> None:
    page = open_compare(family=SMALL, **{"compare-methods": ["average", "soft"]})
    assert "of the comparison" not in texts(page)
    page.text_input(key="compare-labels").set_value("50, 20")
    page.run()
    told = "Adds 6 merges (1 method that looks at labels, 2 numbers of labels, 3 seeds) to the 4 of the comparison"
    assert told in texts(page).replace("\\", "")
    press(page, "Start comparing")
    assert submitted(desk).labels == (50, 20)


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("5", "expected at least 20, got"),
        ("some", "expected a whole number"),
        ("90000", "training and validation samples"),
    ],
)
def test_numbers_of_labels_that_cannot_be_are_told(open_compare: Open, typed: str, told: str) -> None:
    page = open_compare(family=SMALL, **{"compare-methods": ["soft"], "compare-labels": typed})
    assert told in str(page.error[0].value).replace("\\", "")
    assert button(page, "Start comparing").disabled


def test_a_run_by_labels_has_a_picture_a_table_and_a_download_and_another_has_none(
    open_compare: Open, desk: Desk
) -> None:
    few = spec_of("average", "greedy_soup").model_copy(update={"labels": (20, 40), "seeds": 2})
    run_id = desk.store.create(few)
    assert conduct(desk.store.folder(run_id)) == "finished"
    page = open_compare(**{"compare:run": run_id})
    said = texts(page)
    assert "**How many labels?** Greedy soup " in said
    assert "How many labels, in numbers." in said
    assert list(file_buttons(page)) == ["Table", "By labels", "Spec", "Bundle"]
    (shown,) = [found.proto.body for found in page.get("html") if "sm-table" in found.proto.body]
    assert all(text in shown for text in ("<th>20</th>", "<th>40</th>", "Plain average (no labels)", "Best source"))
    other = desk.store.create(spec_of("average", "greedy_soup"))
    assert conduct(desk.store.folder(other)) == "finished"
    assert "How many labels" not in texts(open_compare(**{"compare:run": other}))


def live_run(desk: Desk) -> tuple[str, RunWriter]:
    """A run that somebody is writing: one method of three is there."""
    run_id = started(desk.store.create(spec_of()))
    writer = RunWriter(desk.store.folder(run_id))
    writer.__enter__()
    writer.emit(Score(step=1, series="median", accuracy=0.9, loss=0.3, calibration=0.02, validation=0.9, took=0.1))
    writer.emit(Progress(step=1, total=3))
    return run_id, writer


def test_a_live_run_fills_the_rows_without_moving_them(open_compare: Open, desk: Desk) -> None:
    run_id, writer = live_run(desk)
    try:
        page = open_compare()
        assert page.query_params["run"] == run_id
        assert "1 of 3 methods so far" in texts(page)
        frame: pd.DataFrame = page.dataframe[0].value
        assert list(frame["Method"]) == [available_methods()[name].title for name in CHEAP]
        assert list(frame["Note"]) == ["waiting", "", "waiting"]
        press(page, "Stop")
        assert desk.requests == [("stop", run_id)]
    finally:
        writer.__exit__(None, None, None)
