"""A sweep is begun beside Start, and its page follows it to the end, live."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from softmerge_core.runs.sweeps import read_sweep, sweep_ids
from tests.browser.conftest import Site
from tests.browser.server import READY


def chosen(page: Page, setting: str) -> None:
    """Open Vary and choose a setting there."""
    page.get_by_role("button", name="Vary").click()
    box = page.get_by_role("combobox", name="Settings to vary")
    box.fill(setting)
    page.get_by_role("option", name=setting).first.click()
    expect(page.get_by_role("button", name="Start the sweep")).to_be_enabled()


def test_a_sweep_is_begun_from_a_page_and_watched_to_its_end(open_page: Callable[..., Page], site: Site) -> None:
    errors: list[str] = []
    page = open_page(f"{site.address}/?steps=40")
    page.on("pageerror", lambda error: errors.append(str(error)))
    chosen(page, "Normalise")
    seeds = page.get_by_role("spinbutton", name="Seeds").last
    seeds.fill("1")
    seeds.press("Enter")
    page.get_by_text("2 points with 1 seed each: 2 runs.").wait_for()
    page.locator(READY).wait_for()
    page.get_by_role("button", name="Start the sweep").click()
    page.wait_for_url(re.compile("/sweep"))
    expect(page.get_by_role("heading", name="Sweep")).to_be_visible()
    page.get_by_text("All 2 runs are done.").wait_for()
    page.locator(".sm-plot[data-drawn]").first.wait_for()
    (kept,) = (read_sweep(site.store, name) for name in sweep_ids(site.store))
    assert [site.store.status(run).status for run in kept.runs] == ["finished", "finished"]
    page.get_by_role("button", name="Delete").click()
    page.get_by_text("No sweep has been started here yet").wait_for()
    assert sweep_ids(site.store) == []
    assert errors == []
