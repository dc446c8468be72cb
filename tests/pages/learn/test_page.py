"""The Learn page: cards with what is done, a question that comes before its answer, and the way to the real page."""

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.runs import services
from pages.shared.teach.going import LEARN
from pages.shared.teach.lesson import lessons
from pages.shared.teach.progress import Progress
from softmerge_core.runs import RunStore
from softmerge_core.runs.status import State
from tests.pages.conftest import READER, Desk, opened, press, texts

SCRIPT = """
import streamlit as st
from pages.shared.show.page_state import close_page, open_page
from pages.shared.show.site_map import register_pages
from pages.site import PAGES, site_pages
from pages.shared.teach.panel import lesson_panel

register_pages(site_pages())
path = st.session_state["path"]
st.session_state.setdefault("link:page", "")
for name, text in st.session_state.pop("asked", {}).items():
    st.query_params[name] = text
open_page(path)
lesson_panel(path)
PAGES[path][0]()
st.text(close_page())
"""
NAMES = list(lessons())
SKETCHED = [name for name in NAMES if lessons()[name].question.sketch]
CHOSEN = next(name for name in NAMES if lessons()[name].question.choices and name not in SKETCHED)


def shown(path: str = LEARN, known: dict[str, Progress] | None = None, **asked: str) -> AppTest:
    """A page as an address opens it, for a reader who has come so far."""
    return opened(SCRIPT, path=path, asked=asked, **{"learn:progress": known or {}})


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def test_a_card_for_each_lesson_tells_how_far_the_reader_has_come(desk: Desk) -> None:
    first, second, *others = NAMES
    page = shown(known={first: Progress(2, True, (0.5,)), second: Progress(1)})
    assert [label for label in labels(page) if label in ("Start", "Go on", "Again")] == [
        "Again", "Go on", *["Start"] * len(others),
    ]  # fmt: skip
    said = texts(page)
    assert f"1 of {len(NAMES)} lessons done" in said
    assert (said.count(": done ·"), said.count(": begun ·"), said.count(": new ·")) == (1, 1, len(others))
    press(page, "Forget my progress")
    assert labels(page).count("Start") == len(NAMES)


def test_a_lesson_begins_with_its_question_and_not_with_its_answer(desk: Desk) -> None:
    lesson = lessons()[CHOSEN]
    page = shown(lesson=CHOSEN)
    assert lesson.question.text in [each.value for each in page.markdown]
    assert lesson.reveal not in texts(page)
    assert next(each for each in page.button if each.label == "Compare with the run").disabled
    page.radio(key=f"guess-{CHOSEN}").set_value(0)
    page.run()
    press(page, "Compare with the run")
    assert lesson.reveal in texts(page)
    assert "The run measured" in texts(page)
    press(page, "Predict again")
    assert lesson.reveal not in texts(page)


def test_a_number_is_predicted_by_a_slider(desk: Desk) -> None:
    page = shown(lesson="averaging")
    page.slider(key="guess-averaging").set_value(70)
    page.run()
    press(page, "Compare with the run")
    assert "You said 70.0" in texts(page)


@pytest.mark.parametrize("name", SKETCHED)
def test_a_sketch_that_was_kept_is_compared(name: str, desk: Desk) -> None:
    sketch = lessons()[name].question.sketch
    assert sketch is not None
    page = shown(lesson=name, known={name: Progress(0, False, (0.5,) * sketch.points)})
    assert "from the measured one on average" in texts(page)
    old = shown(lesson=name, known={name: Progress(0, False, (0.5, 0.5))})  # of another version of the lesson
    assert "from the measured one on average" not in texts(old)


def test_an_address_of_no_lesson_says_so(desk: Desk) -> None:
    page = shown(lesson="alchemy")
    assert "there is no such lesson" in page.text[-1].value
    assert labels(page).count("Start") == len(NAMES)
    assert "no such step" in shown("merge", lesson="averaging", step="9").text[-1].value


# each state once, whichever lessons set it
STEPS = {
    (step.page, step.state): (name, number)
    for name, lesson in lessons().items()
    for number, step in enumerate(lesson.steps, 1)
}


@pytest.mark.parametrize(("path", "state"), STEPS)
def test_the_page_of_a_step_understands_its_state(path: str, state: str, desk: Desk) -> None:
    name, number = STEPS[path, state]
    asked = dict(pair.split("=", 1) for pair in state.split("&") if pair)
    page = shown(path, **asked, lesson=name, step=str(number))
    assert page.text[-1].value == ""
    assert lessons()[name].steps[number - 1].title in texts(page)
    assert page.query_params["lesson"] == name
    if run := asked.get("run"):
        assert page.session_state[f"{path}:run"] == run
    if run == "example:more-high-penalty":
        assert page.session_state["penalty"] == 1.0  # with the settings that made it


def test_elsewhere_the_panel_leads_back_and_it_can_be_left(desk: Desk) -> None:
    page = shown("runs", lesson="averaging", step="1")
    assert "This step is on the page Merge" in texts(page)
    assert "To its page" in labels(page)
    press(page, "Leave the lesson")
    assert "This step is on the page" not in texts(page)
    assert "lesson" not in page.query_params


def test_a_step_that_asks_for_a_run_is_done_when_the_readers_own_has_ended(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, number = next(
        (name, number) for name in NAMES for number, step in enumerate(lessons()[name].steps, 1) if step.done == "run"
    )
    step = lessons()[name].steps[number - 1]
    page = shown(step.page, lesson=name, step=str(number), run=step.state.removeprefix("run="))
    assert "Done when a run" in texts(page)
    run_id = desk.store.create(desk.store.read(step.state.removeprefix("run=")).spec)
    page.session_state[f"{step.page}:run"] = run_id
    page.run()
    assert "Done when a run" in texts(page)
    monkeypatch.setattr(RunStore, "status", lambda store, run: State(status="finished"))
    monkeypatch.setitem(services._STARTED, run_id, READER)
    page.run()
    assert "Done: the run that you started has ended" in texts(page)
