"""What the merged network does, in a real browser: pictures are drawn, pages turn, and a link holds what was chosen."""

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.watching import at_rest

Open = Callable[..., Page]
PICTURES = ("gained", "lost", "matrix", "against", "calibration", "errors")
PLACES = """() => ['gates', 'accuracy', 'test'].map((name) =>
  document.querySelector(`.st-key-picture-${name}`).getBoundingClientRect().top
  - document.querySelector('.st-key-verdict').getBoundingClientRect().top)"""


def test_a_link_shows_the_samples_that_were_looked_at_and_turning_a_page_moves_nothing_above(
    site: Site, open_page: Open
) -> None:
    chosen = "inside-partner=Ensemble&inside-network=Plain+average&inside-cells=Samples&inside-gained=12"
    page = open_page(f"{site.address}/?run=example:first-look&{chosen}")
    gained = page.locator(".st-key-picture-inside-gained")
    expect(gained).to_contain_text("Right where the ensemble is wrong. 13 to 24 of")
    expect(page.locator(".st-key-picture-inside-matrix")).to_contain_text("Confusion matrix of the plain average")
    expect(page.get_by_text("was understood")).to_have_count(0)
    for name in PICTURES:
        page.locator(f".st-key-picture-inside-{name}").scroll_into_view_if_needed()
        page.locator(f".st-key-picture-inside-{name} .sm-plot[data-drawn]").wait_for()
    before = at_rest(page, PLACES)
    expect(gained.locator("image")).to_have_count(12)
    first = gained.locator("image").first.get_attribute("href")
    page.get_by_role("button", name="Next 12").first.click()
    expect(gained).to_contain_text("25 to 36 of")
    expect(gained.locator("image").first).not_to_have_attribute("href", str(first))
    assert page.evaluate(PLACES) == before
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    told = parse_qs(urlsplit(str(page.evaluate("navigator.clipboard.readText()"))).query)
    assert told["inside-gained"] == ["24"]
    assert told["inside-partner"] == ["Ensemble"]
    assert told["inside-cells"] == ["Samples"]
