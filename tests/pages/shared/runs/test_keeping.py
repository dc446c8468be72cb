"""A network of any run can be kept from its page: of several, the one that is chosen."""

from collections.abc import Callable
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared.runs import downloads, keeping
from softmerge_core.experiments.robustness.spec import small
from softmerge_core.runs.writer import conduct
from softmerge_core.zoo import library
from tests.pages.conftest import Desk, opened, press

PAGE = "from pages.robustness.page import page\npage()\n"


def test_one_of_several_networks_is_kept(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, ...]] = []

    def command(*arguments: str, failure: str) -> dict[str, Any]:
        asked.append(arguments)
        return {"name": "kept", "title": "Kept"}

    monkeypatch.setattr(keeping, "zoo_command", command)
    run_id = desk.store.create(small().model_copy(update={"attack": "noise"}))
    conduct(desk.store.folder(run_id))
    page = opened(PAGE, **{"robustness:run": run_id})
    choice = page.selectbox(key=f"keep-which:{run_id}")
    assert choice.options == ["Plain average, attacked", "Coordinate median, attacked"]
    choice.set_value("Coordinate median, attacked").run()
    press(page, "Keep it")
    assert asked == [("keep", run_id, "--which", "median")]
    assert library() == {}


def test_a_press_is_not_lost_where_the_script_is_cut_short_before_it_comes_to_the_button(
    open_app: Callable[..., AppTest], desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def command(*arguments: str, failure: str) -> dict[str, Any]:
        asked.append(arguments)
        return {"name": "kept", "title": "Kept"}

    monkeypatch.setattr(keeping, "zoo_command", command)
    page = open_app()
    with monkeypatch.context() as patched:
        patched.setattr(downloads, "keep_button", lambda reader: st.stop())
        press(page, "Keep in library")
        assert asked == []
    page.run()
    assert [arguments[0] for arguments in asked] == ["keep"]
    page.run()
    assert len(asked) == 1


def test_a_run_that_kept_no_network_offers_none(desk: Desk) -> None:
    page = opened(PAGE)  # the recorded one
    assert not [box for box in page.selectbox if box.label == "Network"]
    assert "Keep in library" not in [found.label for found in page.button]
