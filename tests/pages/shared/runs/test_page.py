"""The one layout of a page that runs something: the same places before, during and after a run."""

from tests.pages.conftest import Desk, opened, press, texts

PAGE = """
import streamlit as st
from pages.shared.runs.page import RunPage, Verdict
from pages.shared.runs.setup import Setup
from softmerge_core.experiments.merge.spec import example

RunPage(
    kind="train",
    title="A page",
    purpose="It runs something.",
    start="Start it",
    idle="Nothing yet.",
    setup=lambda: Setup(None, "one is missing") if st.toggle("Broken") else Setup(example()),
    pictures=lambda reader: st.text("no run" if reader is None else "a run"),
    state_of=lambda spec: {"Broken": False},
    verdict=lambda reader: Verdict("It is waiting", "for a worker"),
    outcome=lambda reader: st.caption("Take it along"),
)()
"""


def test_before_the_first_run_there_is_nothing_but_its_place(desk: Desk) -> None:
    page = opened(PAGE)
    assert [text.value for text in page.text] == ["no run"]
    assert "It is waiting" not in texts(page)
    assert "Take it along" not in texts(page)
    assert page.get("progress")[0].proto.text == "Nothing yet."


def test_a_problem_on_the_left_is_told_and_keeps_the_run_from_starting(desk: Desk) -> None:
    page = opened(PAGE)
    page.toggle[0].set_value(True).run()
    assert [error.value for error in page.error] == ["One is missing\\."]
    assert next(found for found in page.button if found.label == "Start it").disabled


def test_a_run_that_was_started_is_followed(desk: Desk) -> None:
    page = press(opened(PAGE.replace('kind="train"', 'kind="merge"')), "Start it")
    assert [text.value for text in page.text] == ["a run"]
    assert "**It is waiting**" in texts(page)
    assert "Take it along" in texts(page)
    assert len(desk.store.list()) == 1
