"""The address names the run that is shown; Back and Forward show another, and a late answer of the browser does not."""

import math
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.runs import address
from softmerge_core.experiments.merge.spec import example
from tests.pages.conftest import APP, Desk, press, texts

Open = Callable[..., AppTest]
EXAMPLE = "example:first-look"


def shown(page: AppTest) -> str:
    run_id: str = page.session_state["merge:reader"].run_id
    return run_id


def gone_to(page: AppTest, run_id: str | None) -> AppTest:
    """The page after the browser has gone to an address of that run, or of none."""
    page.query_params.pop("run", None)
    if run_id:
        page.query_params["run"] = run_id
    page.run()
    assert not page.exception
    return page


def test_back_and_forward_show_the_run_of_the_address(open_app: Open, desk: Desk) -> None:
    page = open_app()
    assert "run" not in page.query_params
    press(page, "Start merging")
    run_id = page.query_params["run"]
    assert shown(page) == run_id
    page.run()  # the browser's next request has the new address
    assert shown(gone_to(page, None)) == EXAMPLE
    assert "run" not in page.query_params
    assert shown(gone_to(page, run_id)) == run_id
    assert page.query_params["run"] == run_id


def test_a_request_from_before_the_browser_knew_the_new_address_changes_nothing(
    open_app: Open, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "LAG", math.inf)
    page = press(open_app(), "Start merging")
    run_id = page.query_params["run"]
    assert shown(gone_to(page, None)) == run_id
    assert page.query_params["run"] == run_id
    monkeypatch.setattr(address, "LAG", 0.0)  # by then the browser has it
    assert shown(gone_to(page, None)) == EXAMPLE


def test_other_pages_keep_their_runs(open_app: Open, desk: Desk) -> None:
    """The navigation leads to an address without a run."""
    page = press(open_app(), "Start merging")
    run_id = page.query_params["run"]
    page.run()
    page.session_state["run:told"] = ("compare", "another")
    assert shown(gone_to(page, None)) == run_id


def test_an_address_of_no_run_shows_the_example_and_says_so(desk: Desk) -> None:
    page = AppTest.from_string(APP, default_timeout=60)
    page.query_params["run"] = "20200101-000000-deadbeef"
    page.run()
    assert not page.exception
    assert "deadbeef" in " ".join(str(element.value) for element in page.warning)
    assert shown(page) == EXAMPLE
    assert "run" not in page.query_params
    assert "Soft merging is" in texts(page)


def test_a_link_to_a_run_shows_it(desk: Desk) -> None:
    run_id = desk.store.create(example())
    page = AppTest.from_string(APP, default_timeout=60)
    page.query_params["run"] = run_id
    page.run()
    assert shown(page) == run_id == page.query_params["run"]
