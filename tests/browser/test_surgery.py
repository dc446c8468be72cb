"""Gates are forced by hand in a browser: by a click and by keys, undone, and told by the link."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.server import READY, visit
from tests.browser.test_accessibility import AXE, faults, in_theme

RUN = "run=example:more-few-labels"
CHART = ".st-key-picture-surgery-gates .sm-plot"
MARKED = f"""() => document.querySelector('{CHART} .js-plotly-plot').data
  .filter((trace) => trace.name === 'forced').some((trace) => trace.x.length)"""


def verdict(page: Page) -> Any:
    return expect(page.locator(".st-key-surgery-verdict"))


def test_a_cell_is_forced_undone_and_told_by_the_link(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{site.address}/?{RUN}")
    page.get_by_text("Edit gates by hand").click()
    verdict(page).to_contain_text("Nothing is forced")
    page.locator(".st-key-picture-surgery-gates").scroll_into_view_if_needed()
    page.locator(f"{CHART}[data-drawn]").wait_for()
    place = page.locator(".st-key-picture-gates .sm-plot").bounding_box()
    area = page.locator(f"{CHART} .nsewdrag").first.bounding_box()
    assert area
    page.mouse.move(area["x"] + area["width"] * 0.5, area["y"] + area["height"] * 0.3)
    page.locator(f"{CHART} .hovertext").wait_for()
    page.mouse.down()
    page.mouse.up()
    verdict(page).to_contain_text("gates forced: validation accuracy")
    page.wait_for_function(MARKED)
    assert page.locator(".st-key-picture-gates .sm-plot").bounding_box() == place  # nothing else moved
    page.locator(READY).wait_for()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = str(page.evaluate("navigator.clipboard.readText()"))
    assert "forced=" in link
    page.get_by_role("button", name="Undo").focus()
    page.keyboard.press("Enter")
    verdict(page).to_contain_text("Nothing is forced")
    visit(page, link)
    verdict(page).to_contain_text("gates forced: validation accuracy")
    page.add_script_tag(path=AXE)
    for theme in ("dark", "light"):
        in_theme(page, theme)
        assert (theme, faults(page, ".st-key-surgery-slot")) == (theme, [])
