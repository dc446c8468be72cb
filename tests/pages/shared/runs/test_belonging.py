"""Results say what made them, and that they are of other settings than those on the left; a run is its starter's."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.choose.restore import link_text
from pages.shared.runs import services
from softmerge_core.experiments.admission import FIRST
from softmerge_core.experiments.merge.spec import MergeSpec, example
from softmerge_core.runs.writer import RunWriter
from softmerge_core.settings import AttackSettings, DataSpec, SoftMergeSettings, SourceSpec
from softmerge_core.zoo import families
from tests.pages.conftest import APP, Desk, button, press, started, texts

Open = Callable[..., AppTest]
TAKE = "Use the settings of this run"
FRAME, TOY = "sm-set-back", "moons-mlp-label-noise"


def notices(page: AppTest) -> str:
    return "\n".join(str(element.value) for element in page.info)


def set_back(page: AppTest) -> bool:
    return any(FRAME in str(element.value) for element in page.html if "<style" not in str(element.value))


def labels(page: AppTest) -> list[str]:
    return [found.label for found in page.button]


def test_the_first_visit_shows_an_example_of_the_settings_on_the_left(open_app: Open) -> None:
    page = open_app()
    assert "3 sources" in texts(page)
    assert not set_back(page)
    assert TAKE not in labels(page)


def test_results_of_other_settings_say_so_and_lend_theirs(open_app: Open, desk: Desk) -> None:
    page = open_app(**{"penalty": 0.05, f"use:{FIRST}/clothes-expert": False})
    assert set_back(page)
    assert "penalty 0\\.002 instead of 0\\.05" in notices(page)
    assert "with Clothes expert" in notices(page)
    press(page, TAKE)
    assert not set_back(page)
    assert notices(page) == ""
    press(page, "Start merging")
    (run,) = desk.store.list()
    assert desk.store.read(run.id).spec == example().model_copy(update={"name": run.name})


def test_what_the_page_cannot_set_is_said(open_app: Open, desk: Desk) -> None:
    spec = example().model_copy(update={"sources": example().sources[::-1]})
    page = press(open_app(**{"merge:run": desk.store.create(spec), "steps": 7}), TAKE)
    assert "This page cannot set: another order" in notices(page)
    assert "steps" not in notices(page)


def test_a_set_up_that_is_not_complete_says_that_the_results_are_not_its_own(open_app: Open) -> None:
    page = open_app(**{f"use:{FIRST}/{skill}-expert": False for skill in ("digits", "clothes", "emoji")})
    assert "not of the settings on the left" in notices(page)
    assert not set_back(press(page, TAKE))


def test_a_new_visitor_sees_the_example_and_may_watch_but_not_steer_a_run_of_somebody_else(
    open_app: Open, desk: Desk
) -> None:
    run_id = started(desk.store.create(example()))
    with RunWriter(desk.store.folder(run_id)):
        page = open_app(visitor="somebody else")
        assert page.session_state["merge:reader"].run_id == "example:first-look"
        assert "A run is live" in texts(page)
        assert not button(page, "Start merging").disabled
        press(page, "Watch it")
        assert page.query_params["run"] == run_id
        assert not button(page, "Start merging").disabled
        assert (button(page, "Pause").disabled, button(page, "Stop").disabled) == (True, True)


def test_who_started_a_run_steers_it_and_may_start_the_next(open_app: Open, desk: Desk) -> None:
    run_id = started(desk.store.create(example()))
    with RunWriter(desk.store.folder(run_id)):
        page = open_app()
        assert page.query_params["run"] == run_id
        assert (button(page, "Pause").disabled, button(page, "Stop").disabled) == (False, False)
        press(page, "Start merging")
    (new,) = {run.id for run in desk.store.list()} - {run_id}
    assert page.query_params["run"] == new


def test_a_run_that_waits_says_how_many_are_before_it(open_app: Open, desk: Desk) -> None:
    run_id = started(desk.store.create(example()))
    desk.ahead[run_id] = 2
    assert open_app().get("progress")[0].proto.text == "Waiting for its turn: 2 runs before it."
    desk.ahead[run_id] = 0
    assert open_app().get("progress")[0].proto.text == "Waiting for a worker."


def test_who_has_the_owners_token_steers_every_run(open_app: Open, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "_OWNERS", set())
    monkeypatch.setattr(services, "visitor", lambda: "teacher")
    run_id = started(desk.store.create(example()))
    with RunWriter(desk.store.folder(run_id)):
        assert button(open_app(**{"merge:run": run_id}), "Stop").disabled
        assert not services.become_owner("guessed")
        assert button(open_app(**{"merge:run": run_id}), "Stop").disabled
        assert services.become_owner(f" {services.owner_token()} ")
        press(open_app(**{"merge:run": run_id}), "Stop")
    assert desk.requests == [("stop", run_id)]


def test_who_started_a_run_is_known_after_a_restart(desk: Desk, open_app: Open) -> None:
    page = press(open_app(), "Start merging")
    (run,) = desk.store.list()
    services._STARTED.pop(run.id)
    page = open_app(**{"merge:run": run.id})
    assert not button(page, "Stop").disabled
    services._STARTED.pop(run.id, None)
    assert button(open_app(visitor="somebody else", **{"merge:run": run.id}), "Stop").disabled


def test_a_run_that_was_cut_short_is_resumed_by_who_started_it_or_by_anyone_if_nobody_knows_who(
    open_app: Open, desk: Desk
) -> None:
    run_id = desk.store.create(example())
    with RunWriter(desk.store.folder(run_id)):
        pass
    started(run_id)
    assert button(open_app(visitor="somebody else", **{"merge:run": run_id}), "Resume").disabled
    del services._STARTED[run_id]
    press(open_app(visitor="somebody else", **{"merge:run": run_id}), "Resume")
    assert desk.requests == [("resume", run_id)]
    assert services._STARTED[run_id] == "somebody else"


def test_the_address_is_a_link_to_what_was_taken_from_a_run(open_app: Open, desk: Desk) -> None:
    """Also where that brings widgets to the page that were not there before."""
    page = press(open_app(**{"merge:run": desk.store.create(toy_spec())}), TAKE)
    poison, asked = f"poison:{TOY}/source-2", dict(page.query_params)
    assert asked[poison] == "Noise"
    assert asked[f"{poison}:noise:strength"] == "5.0"
    assert asked[f"use:{TOY}/source-3"] == "false"
    assert asked["parts"] == "head=keep:1"
    again = AppTest.from_string(APP, default_timeout=60)
    for name, value in asked.items():
        again.query_params[name] = value
    again.run()
    assert not again.exception
    assert not set_back(again)
    assert notices(again) == ""


def toy_spec() -> MergeSpec:
    """A merge of some sources of a family that the page does not begin with; one is poisoned, a layer kept."""
    attacks = {"source-1": None, "source-2": AttackSettings(kind="noise", strength=5)}
    sources = tuple(SourceSpec(model=f"{TOY}/{name}", attack=attack) for name, attack in attacks.items())
    settings = SoftMergeSettings(penalty=0.05, parts={"head": "keep:1"})
    return MergeSpec(name="Toy", sources=sources, data=DataSpec(dataset=families()[TOY].dataset), settings=settings)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("use:family/source-1", True, "true"),
        ("poison:family/source-1", "noise", "Noise"),
        ("poison:family/source-1", None, ""),
        ("robustness-strength-noise", 3.5, "3.5"),
        ("soft:penalty", 0.1, ""),  # the settings of one method at a time are on the page, and in no address
        ("own-data", "/home/reader/data.npz", ""),
    ],
)
def test_what_an_address_holds_of_a_widget(key: str, value: object, text: str) -> None:
    assert link_text(key, value) == text
