"""The Gate page without a browser: what it hands to the laboratory, and what its links hold."""

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.gate.page import JUMP, LABORATORY, PLACE
from pages.gate.states import LIMITS, start_state
from softmerge_core.settings import SoftMergeSettings
from tests.pages.conftest import READER, Desk, opened, texts

PAGE = """
from pages.shared.show.page_state import close_page, open_page, page_query
from pages.shared.show.site_map import register_pages
from pages.site import PAGES, site_pages
import streamlit as st

register_pages(site_pages())
open_page("gate")
PAGES["gate"][0]()
st.text(page_query())
if missed := close_page():
    st.warning(missed)
"""
ASKED = {"log_alpha": "-1.5", "temperature": "0.5", "gamma": "-0.2", "zeta": "1.3"}


def linked(**query: str) -> AppTest:
    """The page as a link with this query opens it."""
    page = AppTest.from_string(PAGE, default_timeout=60)
    page.session_state["visitor"] = READER
    for name, text in query.items():
        page.query_params[name] = text
    page.run()
    assert not page.exception
    return page


def shown(page: AppTest) -> dict[str, Any]:
    """What the laboratory is handed."""
    found = [json.loads(each.proto.json) for each in page.get("bidi_component") if each.proto.json]  # type: ignore[attr-defined]
    return next(data for data in found if "presets" in data)


def query(page: AppTest) -> str:
    return str(page.text[0].value)


def test_it_begins_where_a_merge_begins_and_names_its_sources(desk: Desk) -> None:
    page, usual = opened(PAGE), SoftMergeSettings()
    data = shown(page)
    assert data["state"] == start_state()
    assert (data["penalty"], data["rate"]) == (usual.penalty, usual.learning_rate)
    assert (data["scale"][0], data["scale"][-1]) == ("#00224e", "#fee838")
    assert {*data["colours"]} == {"light", "dark"}
    for source in ("1712.01312", "2309.12259"):
        assert source in texts(page)
    assert len(page.latex) == 6


def test_a_link_opens_its_state_and_the_address_forgets_it(desk: Desk) -> None:
    page = linked(**ASKED)
    assert shown(page)["state"] == {name: float(text) for name, text in ASKED.items()}
    assert not page.query_params
    assert not page.warning
    for name, text in ASKED.items():
        assert f"{name}={text}&" in query(page)


def test_what_a_link_cannot_ask_for_is_told_and_is_as_usual(desk: Desk) -> None:
    page = linked(temperature="9", zeta="wide", gamma="-0.3")
    assert shown(page)["state"] == {**start_state(), "gamma": -0.3}
    said = page.warning[0].value
    assert "temperature “9” (expected a number from 0.05 to 3)" in said
    assert "zeta “wide” (expected a number from 1 to 1.4)" in said
    assert "gamma" not in said


def test_where_the_reader_rests_is_in_links_and_outlives_a_change_of_page(desk: Desk) -> None:
    page = linked(**ASKED)
    rests = {**start_state(), "log_alpha": -3.25}
    page.session_state[LABORATORY] = {"at": {**rests, "jump": page.session_state[JUMP]}}
    page.run()
    assert "log_alpha=-3.25&" in query(page)
    del page.session_state[LABORATORY]  # as Streamlit forgets it on another page
    page.run()
    assert shown(page)["state"] == rests == page.session_state[PLACE]
    page.query_params["log_alpha"] = "2"
    page.run()
    assert shown(page)["state"] == {**start_state(), "log_alpha": 2.0}, "a second link counts as well"
    assert shown(page)["jump"] == 2


@pytest.mark.parametrize("sent", [{"at": 5}, {"at": {"jump": 0}}])
def test_it_stays_as_it_is_whatever_another_program_sends(desk: Desk, sent: dict[str, Any]) -> None:
    page = opened(PAGE, **{LABORATORY: sent})
    assert shown(page)["state"] == start_state()
    assert set(shown(page)["state"]) == set(LIMITS)
