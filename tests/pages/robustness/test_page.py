"""The Robustness page as its reader meets it: what it submits, what it shows, and what it says when it cannot."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.robustness.setup import ATTACKS
from softmerge_core.events import Notice, Progress, Score
from softmerge_core.experiments.robustness.spec import METHODS, RobustnessSpec, attack_of
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import RunWriter, conduct
from softmerge_core.settings import DataSpec, SourceSpec
from softmerge_core.zoo import families
from tests.pages.conftest import Desk, button, opened, press, started, texts

SMALL = "moons-mlp-label-noise"
Open = Callable[..., AppTest]


@pytest.fixture
def open_robustness(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the page, without a recorded run."""
    monkeypatch.setattr(RunStore, "examples", lambda self: [])

    def start(**state: object) -> AppTest:
        return opened("from pages.robustness.page import page\npage()\n", **state)

    return start


def spec_of(attack: str = "extreme", malicious: int = 1) -> RobustnessSpec:
    """An attack that is quickly run."""
    info = families()[SMALL]
    sources = tuple(SourceSpec(model=f"{SMALL}/{model.name}") for model in info.models[:3])
    values = {"sources": sources, "data": DataSpec(dataset=info.dataset), "methods": ("average", "krum")}
    return RobustnessSpec.model_validate({**values, "attack": attack, "malicious": malicious})


def submitted(desk: Desk) -> RobustnessSpec:
    (run,) = desk.store.list()
    spec = desk.store.read(run.id).spec
    assert isinstance(spec, RobustnessSpec)
    return spec


def test_the_first_press_blows_up_one_of_four_sources(open_robustness: Open, desk: Desk) -> None:
    page = open_robustness(family=SMALL)
    assert "over the number of malicious sources" in texts(page)
    press(page, "Start attacking")
    spec = submitted(desk)
    assert (spec.attack, spec.strength, spec.malicious, spec.seeds) == ("extreme", 50.0, 1, 1)
    assert set(spec.methods) == set(METHODS)
    assert [source.model for source in spec.sources] == [f"{SMALL}/{model.name}" for model in families()[SMALL].models]


def test_what_is_chosen_is_what_is_submitted(open_robustness: Open, desk: Desk) -> None:
    page = open_robustness(family=SMALL, **{"robustness-attack": "noise", "robustness-methods": ["krum", "average"]})
    page.number_input(key="robustness-malicious").set_value(3)
    page.number_input(key="robustness-strength-noise").set_value(0.7)
    page.number_input(key="robustness-seed").set_value(5)
    page.run()
    titles = [model.title.replace(" %", "\u00a0%") for model in families()[SMALL].models[1:]]
    assert f"Malicious: {'; '.join(titles)}." in texts(page)
    press(page, "Start attacking")
    spec = submitted(desk)
    assert (spec.attack, spec.strength, spec.malicious, spec.seed) == ("noise", 0.7, 3, 5)
    assert spec.methods == ("average", "krum")


@pytest.mark.parametrize("attack", ATTACKS)
def test_every_attack_is_told_in_words_and_can_be_run(open_robustness: Open, desk: Desk, attack: str) -> None:
    page = open_robustness(family=SMALL, **{"robustness-attack": attack})
    assert attack_of(attack).sends in texts(page)
    strengths = [field.key for field in page.number_input if "strength" in str(field.key)]
    assert strengths == ([f"robustness-strength-{attack}"] if attack_of(attack).graded else [])
    press(page, "Start attacking")
    assert submitted(desk).attack == attack


def test_sources_that_are_poisoned_already_take_no_part_at_first(open_robustness: Open, desk: Desk) -> None:
    family = "mnist1d-cnn-poisoned-1"
    page = open_robustness(family=family, **{"poison:mnist1d-cnn-poisoned-1/source-1": "nan"})
    press(page, "Start attacking")
    spoiled = {f"{family}/{model.name}" for model in families()[family].models if model.attack}
    sources = submitted(desk).sources
    assert spoiled
    assert spoiled.isdisjoint(source.model for source in sources)
    assert all(source.attack is None for source in sources)


def test_fewer_sources_leave_one_honest(open_robustness: Open, desk: Desk) -> None:
    page = open_robustness(family=SMALL, **{"robustness-malicious": 3})
    for model in families()[SMALL].models[2:]:
        page.toggle(key=f"honest:{SMALL}/{model.name}").set_value(False)
    page.run()
    assert not page.exception
    press(page, "Start attacking")
    assert submitted(desk).malicious == 1


@pytest.mark.parametrize(("value", "said"), [(9, "at most 3; 9"), (-1, "at most 3; \u22121")])
def test_a_number_of_malicious_sources_that_cannot_be_is_told_and_start_waits(
    open_robustness: Open, value: int, said: str
) -> None:
    page = open_robustness(family=SMALL)
    page.number_input(key="robustness-malicious").set_value(value)
    page.run()
    assert not page.exception
    assert page.number_input(key="robustness-malicious").value == value
    assert [said in str(error.value) for error in page.error] == [True, True]
    assert button(page, "Start attacking").disabled


def test_one_source_or_no_method_is_too_few(open_robustness: Open) -> None:
    page = press(open_robustness(family=SMALL), "None")
    assert [error.value for error in page.error] == ["Choose one method or more\\."]
    for model in families()[SMALL].models[1:]:
        page.toggle(key=f"honest:{SMALL}/{model.name}").set_value(False)
    page.run()
    assert [error.value for error in page.error] == ["Choose two or more sources: 1 is chosen\\."]
    assert button(page, "Start attacking").disabled


def test_excluded_sources_are_told_and_a_finished_run_says_who_survives(open_robustness: Open, desk: Desk) -> None:
    run_id = desk.store.create(spec_of("nan"))
    assert conduct(desk.store.folder(run_id)) == "finished"
    page = open_robustness(**{"robustness:run": run_id})
    assert any("left out" in str(warning.value) for warning in page.warning)
    assert "With 1 of 3 sources malicious" in texts(page)
    assert texts(page).lower().count("one seed") == 2  # with the verdict and with the table
    closed = texts(page).partition("The gates closed on")[2].partition(". ")[0]
    assert "Source 3" in closed
    assert any("Krum" in str(element.value) for element in page.html if "<table" in str(element.value))
    assert f"-{run_id}.json`" in texts(page).partition("`python -m softmerge_core run robustness-spec-")[2]


def score(series: str, accuracy: float, malicious: int = 1, problem: str = "") -> Score:
    return Score(
        step=1,
        series=series,
        accuracy=accuracy,
        case=f"{malicious} malicious, strength 50",
        malicious=malicious,
        strength=50,
        problem=problem,
    )


BEST = Score(step=1, series="best_source", accuracy=0.8)


def test_a_live_run_is_followed_with_its_notices(open_robustness: Open, desk: Desk) -> None:
    run_id = started(desk.store.create(spec_of()))
    with RunWriter(desk.store.folder(run_id)) as writer:
        for event in (BEST, Notice(step=0, text="source c is left out"), score("krum", 0.8), Progress(step=1, total=9)):
            writer.emit(event)
        page = open_robustness()
        assert page.query_params["run"] == run_id
        assert "1 of 2 methods so far" in texts(page)
        assert "Source c is left out" in texts(page)
        assert not button(page, "Start attacking").disabled
