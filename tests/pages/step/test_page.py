"""The page "One step": the shipped example is there at once; what is asked for otherwise is worked out or refused."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.choose import explaining
from pages.shared.choose.explaining import WAITING
from pages.step.choosing import _shipped
from softmerge_core.errors import CheckpointError
from tests.pages.conftest import Desk, opened, texts

PAGE = """
from pages.shared.show.site_map import register_pages
from pages.site import PAGES, site_pages

register_pages(site_pages())
PAGES["step"][0]()
"""


def box(page: AppTest, label: str) -> Any:
    return next(found for found in page.selectbox if found.label == label)


def said(page: AppTest) -> str:
    return texts(page).replace("\\", "").replace("\u2060", "")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """What the process would have been asked; it tells the first shipped step."""
    calls: list[tuple[str, ...]] = []

    def answer(*arguments: str, failure: str) -> dict[str, Any]:
        calls.append(arguments)
        if "99" in arguments:
            raise CheckpointError("source 'gone': there is no such model")
        return _shipped()["example:more-nothing-gained"]["180"]

    monkeypatch.setattr(explaining, "engine_command", answer)
    monkeypatch.setattr(explaining, "_ASKED", type(explaining._ASKED)())
    return calls


def test_the_first_example_is_shown_without_any_process(desk: Desk, asked: list[tuple[str, ...]]) -> None:
    page = opened(PAGE)
    assert "In this step the gate of Source 2 in layer conv1 moves from P(open) 0.47 to 0.46" in said(page)
    assert "the loss pushes it down, and so does the penalty" in said(page)
    assert box(page, "Run").value == "example:more-nothing-gained"
    assert box(page, "Part").options == ["layer conv1", "layer conv2", "layer conv3", "layer head"]
    assert asked == []


def test_another_gate_of_the_same_step_needs_no_process_either(desk: Desk, asked: list[tuple[str, ...]]) -> None:
    page = opened(PAGE)
    box(page, "Part").set_value("head")
    box(page, "Source").set_value("3").run()
    assert not page.exception
    assert "the gate of Source 3 in layer head" in said(page)
    assert "head" in page.query_params["part"]
    assert asked == []


def test_another_step_is_worked_out_once(desk: Desk, asked: list[tuple[str, ...]]) -> None:
    page = opened(PAGE)
    for _ in range(2):
        page.number_input[0].set_value(181).run()
        assert not page.exception
    assert asked == [("explain", "example:more-nothing-gained", "--step", "181")]
    assert WAITING not in said(page)
    assert "agrees with the run at 11 recorded moments" in said(page)
    assert "181" in page.query_params["step"]


def test_a_step_that_cannot_be_told_says_why(desk: Desk, asked: list[tuple[str, ...]]) -> None:
    page = opened(PAGE)
    page.number_input[0].set_value(99).run()
    assert not page.exception
    assert "there is no such model" in said(page)


def test_an_address_leads_to_its_step(desk: Desk, asked: list[tuple[str, ...]]) -> None:
    page = AppTest.from_string(PAGE, default_timeout=60)
    for name, value in {"run": "example:first-look", "step": "150", "part": "hidden2", "source": "3"}.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    assert "the gate of emoji-expert in layer hidden2 moves from P(open) 0.65 to 0.64" in said(page)
    assert asked == []
