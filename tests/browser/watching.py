"""What tests of live pages look at: pictures that are drawn, redrawn, and must never be taken away."""

import csv
import io
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from playwright.sync_api import Download, Locator, Page, expect

from tests.browser.server import wait_for

PLOT = ".sm-plot"
WATCH = """([parts, within, outside]) => {
  window.removed = 0;
  const has = (node, selector) => node.matches(selector) || node.querySelector(selector);
  const counts = (node, from) => node.nodeType === 1 && has(node, parts)
    && (!within || from.closest(within) || has(node, within)) && !(outside && from.closest(outside));
  new MutationObserver((records) => {
    for (const record of records) for (const node of record.removedNodes)
      if (counts(node, record.target)) window.removed += 1;
  }).observe(document.body, { childList: true, subtree: true });
}"""
PLACES = """(blocks) => {
  const page = document.querySelector("[data-testid=stMain]");
  window.places = Object.fromEntries(blocks.map((block) => [block, []]));
  const look = () => {
    for (const block of blocks) {
      const top = document.querySelector(block)?.getBoundingClientRect().y;
      if (top !== undefined) window.places[block].push(top + page.scrollTop);
    }
    requestAnimationFrame(look);
  };
  look();
}"""


def watch(page: Page, parts: str = PLOT, *, within: str = "", outside: str = "") -> None:
    """From now on count the nodes with such ``parts`` (a CSS selector) that are taken out of the page."""
    page.evaluate(WATCH, [parts, within, outside])


def removed(page: Page) -> int:
    """The number of nodes that were taken out since ``watch``."""
    return int(page.evaluate("window.removed"))


def watch_places(page: Page, *blocks: str) -> None:
    """From now on note in every frame where these blocks (CSS selectors) begin."""
    page.evaluate(PLACES, blocks)


def at_rest(page: Page, script: str) -> Any:
    """What ``script`` finds of the page's layout once it is the same for half a second: parts of it are loaded late."""
    found, since = page.evaluate(script), time.monotonic()
    while time.monotonic() - since < 0.5:
        page.wait_for_timeout(50)
        if (now := page.evaluate(script)) != found:
            found, since = now, time.monotonic()
    return found


def moves(page: Page) -> dict[str, float]:
    """How far (px) each of the blocks moved up or down since ``watch_places``, of those that were seen."""
    return {block: max(tops) - min(tops) for block, tops in page.evaluate("window.places").items() if tops}


def updates(plot: Locator) -> int:
    """How often a live plot was drawn."""
    return int(plot.get_attribute("data-updates") or 0)


def wait_updates(plot: Locator, more: int) -> None:
    """Wait until the plot was drawn ``more`` times again."""
    start = updates(plot)
    wait_for(lambda: updates(plot) >= start + more, f"{more} more updates of a plot")


def drawn(page: Page, name: str) -> None:
    """Come near the picture of that accessible name (or a part of it), and wait until it is drawn."""
    picture = page.get_by_role("figure", name=name)
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_attribute("data-drawn", "yes")


def press_start(page: Page, label: str) -> str:
    """Press the button that starts a run and wait until the run has begun; returns its id."""
    button = page.get_by_role("button", name=label)
    expect(button).to_be_enabled()
    button.click()
    page.wait_for_url(lambda url: "run=" in url and "example" not in url)
    return run_of(page)


def run_of(page: Page) -> str:
    """The id of the run that the address names."""
    return query(page)["run"]


def query(page: Page) -> dict[str, str]:
    """The parameters of the address."""
    return dict(parse_qsl(urlsplit(page.url).query))


def saved(page: Page, picture: Locator, form: str) -> Download:
    """What the corner of a picture on a canvas saves in that form, "PNG", "SVG" or "CSV"."""
    picture.locator("canvas").first.hover()
    with page.expect_download() as coming:
        picture.get_by_role("button", name=f"Save as {form}").click()
    return coming.value


def table_of(file: Download) -> list[list[str]]:
    """The rows of a saved table, without their heads."""
    return list(csv.reader(io.StringIO(file.path().read_text(encoding="utf-8"))))[1:]
