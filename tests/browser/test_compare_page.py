"""The Compare and the Robustness page in a real browser: a small run is started, followed, and found again."""

import re
from collections.abc import Callable
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT

pytestmark = pytest.mark.browser
FAMILY = "family=Moons+MLP%2C+label+noise"
SLOW = 90_000  # ms: the first run waits for workers to start
LIVE = re.compile("Step|Finished")
# Pictures that are live must stay where they are.
WATCH = """() => {
  window.removed = 0;
  new MutationObserver((records) => {
    for (const record of records) for (const node of record.removedNodes)
      if (node.nodeType === 1 && (node.matches('.sm-plot, [data-testid=stDataFrame]')
          || node.querySelector('.sm-plot, [data-testid=stDataFrame]'))) window.removed += 1;
  }).observe(document.body, { childList: true, subtree: true });
}"""


def choose(page: Page, *methods: str) -> None:
    """These methods alone."""
    page.get_by_role("button", name="None", exact=True).click()
    expect(page.get_by_text("Choose one method or more")).to_be_visible()
    for method in methods:
        page.get_by_role("button", name=method, exact=True).click()


def start(page: Page, label: str) -> str:
    """Press the button; returns the run's id, which the address has from then on."""
    button = page.get_by_role("button", name=label)
    expect(button).to_be_enabled()
    button.click()
    page.wait_for_url(lambda url: "run=" in url and "example" not in url)
    expect(page.get_by_test_id("stProgress")).to_contain_text(LIVE, timeout=SLOW)
    return run_of(page)


def run_of(page: Page) -> str:
    return dict(parse_qsl(urlsplit(page.url).query))["run"]


def drawn(page: Page, name: str) -> None:
    expect(page.get_by_role("figure", name=name)).to_have_attribute("data-drawn", "yes", timeout=SLOW)


def test_methods_are_compared_live_in_a_picture_and_a_table(
    app: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{app(ROOT / 'app.py')}/compare?{FAMILY}")
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    choose(page, "Plain average", "Coordinate median", "Krum", "TIES")
    run_id = start(page, "Start comparing")
    drawn(page, "A dot for every method")
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    page.evaluate(WATCH)
    expect(page.get_by_test_id("stProgress")).to_contain_text("Finished", timeout=SLOW)
    expect(page.locator(".st-key-picture-compare")).to_contain_text("is best with")
    assert page.evaluate("window.removed") == 0
    expect(page.locator(".st-key-picture-compare .ytick")).to_have_count(4)
    with page.expect_download() as download:
        page.get_by_role("button", name="Table").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert {"Plain average", "Coordinate median", "Krum", "TIES", "Best source"} <= {
        line.partition(",")[0] for line in text.splitlines()
    }
    page.reload()
    drawn(page, "A dot for every method")
    assert run_of(page) == run_id
    expect(page.locator(".st-key-picture-compare")).to_contain_text("is best with")


def test_methods_are_attacked_live_and_someone_is_to_blame(
    app: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    page = open_page(f"{app(ROOT / 'app.py')}/robustness?{FAMILY}")
    expect(page.get_by_role("heading", name="Robustness")).to_be_visible()
    choose(page, "Plain average", "Coordinate median", "Krum")
    run_id = start(page, "Start attacking")
    drawn(page, "Test accuracy of each method over the number")
    drawn(page, "Test accuracy of each method over the strength")
    page.evaluate(WATCH)
    drawn(page, "The mean gate of each source")
    expect(page.get_by_test_id("stProgress")).to_contain_text("Finished", timeout=SLOW)
    expect(page.locator(".st-key-verdict")).to_contain_text("With 1 of 4 sources malicious")
    expect(page.locator(".st-key-picture-blame")).to_contain_text("The gates closed on")
    assert page.evaluate("window.removed") == 0
    page.reload()
    drawn(page, "The mean gate of each source")
    assert run_of(page) == run_id
    expect(page.locator(".sm-table")).to_contain_text("Krum")
