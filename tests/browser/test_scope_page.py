"""The Scope page in a browser: a run is followed live, no picture is taken away, the verdict outlives a reload."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.watching import drawn, press_start, removed, watch

SMALL = "scope-dataset=Moons&scope-epochs=12&scope-factor=Label+noise"
FIGURES = (
    "How much worse the average",
    "Training loss above",
    "How far apart",
    "Mean and spread",
    "Gaussian that fits",
)


def test_both_sides_are_trained_live_and_judged(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{site.address}/scope?{SMALL}")
    for name in FIGURES:  # of the recorded example
        drawn(page, name)
    press_start(page, "Start training")
    expect(page.get_by_test_id("stProgress").get_by_text("A recorded example")).to_have_count(0)
    watch(page)
    verdict = page.locator(".st-key-verdict").get_by_text("After 12 of 12 epochs")
    expect(verdict).to_be_visible()
    expect(page.get_by_text("On the straight line from A to B the barrier is")).to_be_visible()
    for name in (*FIGURES, "Test error on the straight line"):
        drawn(page, name)
    assert removed(page) == 0
    page.get_by_role("radio", name="Plain", exact=True).or_(
        page.get_by_role("button", name="Plain", exact=True)
    ).first.click()
    expect(page.get_by_role("figure", name="Gaussian that fits").get_by_text("A, plain")).to_be_visible()
    page.reload()
    expect(verdict).to_be_visible()
