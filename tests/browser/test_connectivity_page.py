"""The Connectivity page in a real browser: a small run is watched while its plane fills in, and found again."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.watching import drawn, press_start, removed, run_of, watch

FAMILY = "family=Spirals+MLP%2C+independent+seeds"
SMALL = "connectivity-grid=11&connectivity-points=9&connectivity-gate_steps=40&connectivity-samples=100"


def test_paths_and_a_plane_are_drawn_live(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{site.address}/connectivity?{FAMILY}&{SMALL}")
    expect(page.get_by_role("heading", name="Connectivity")).to_be_visible()
    run_id = press_start(page, "Start walking")
    drawn(page, "Loss along the straight paths")
    watch(page)
    drawn(page, "Loss on a plane of weight space")
    expect(page.get_by_test_id("stProgress")).to_contain_text("Finished")
    expect(page.locator(".st-key-verdict")).to_contain_text("the straight path rises")
    expect(page.locator(".sm-walk-cell b")).to_contain_text(["%", "%", "%", "%"])
    assert removed(page) == 0
    page.reload()
    drawn(page, "Error on a plane of weight space")
    assert run_of(page) == run_id
