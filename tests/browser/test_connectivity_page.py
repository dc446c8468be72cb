"""The Connectivity page in a real browser: a small run is watched while its plane fills in, and found again."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT
from tests.browser.test_compare_page import SLOW, WATCH, drawn, run_of, start

pytestmark = pytest.mark.browser
FAMILY = "family=Spirals+MLP%2C+independent+seeds"


def test_paths_and_a_plane_are_drawn_live(app: Callable[..., str], open_page: Callable[..., Page]) -> None:
    page = open_page(f"{app(ROOT / 'app.py')}/connectivity?{FAMILY}")
    expect(page.get_by_role("heading", name="Connectivity")).to_be_visible()
    run_id = start(page, "Start walking")
    drawn(page, "Loss along the straight paths")
    page.evaluate(WATCH)
    drawn(page, "Loss on a plane of weight space")
    expect(page.get_by_test_id("stProgress")).to_contain_text("Finished", timeout=SLOW)
    expect(page.locator(".st-key-verdict")).to_contain_text("the straight path rises")
    expect(page.locator(".sm-walk-cell b")).to_contain_text(["%", "%", "%", "%"])
    assert page.evaluate("window.removed") == 0
    page.reload()
    drawn(page, "Error on a plane of weight space")
    assert run_of(page) == run_id
