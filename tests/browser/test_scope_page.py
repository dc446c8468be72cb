"""The Scope page in a browser: a run is followed live, no picture is taken away, the verdict outlives a reload."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT

pytestmark = pytest.mark.browser

SLOW = 60_000  # ms: the first training waits for workers to start
WATCH = """() => {
  window.removed = 0;
  const gone = (node) => node.nodeType === 1 && (node.matches('.sm-plot') || node.querySelector('.sm-plot'));
  new MutationObserver((records) => {
    for (const record of records) for (const node of record.removedNodes) if (gone(node)) window.removed += 1;
  }).observe(document.body, { childList: true, subtree: true });
}"""


@pytest.fixture
def scope(app: Callable[..., str], open_page: Callable[..., Page]) -> Page:
    return open_page(f"{app(ROOT / 'app.py')}/scope?scope-dataset=Moons&scope-epochs=12&scope-factor=Label+noise")


def test_both_sides_are_trained_live_and_judged(scope: Page) -> None:
    start = scope.get_by_role("button", name="Start training")
    expect(start).to_be_enabled()
    figures = (
        "How much worse the average",
        "Training loss above",
        "How far apart",
        "Mean and spread",
        "Gaussian that fits",
    )
    for name in figures:  # of the recorded example
        expect(scope.get_by_role("figure", name=name)).to_have_attribute("data-drawn", "yes")
    start.click()
    expect(scope.get_by_test_id("stProgress").get_by_text("A recorded example")).to_have_count(0)
    scope.evaluate(WATCH)
    verdict = scope.locator(".st-key-verdict").get_by_text("After 12 of 12 epochs")
    expect(verdict).to_be_visible(timeout=SLOW)
    expect(scope.get_by_text("On the straight line from A to B the barrier is")).to_be_visible(timeout=SLOW)
    for name in (*figures, "Test error on the straight line"):
        expect(scope.get_by_role("figure", name=name)).to_have_attribute("data-drawn", "yes")
    assert scope.evaluate("() => window.removed") == 0
    scope.get_by_role("radio", name="Without alignment").or_(
        scope.get_by_role("button", name="Without alignment")
    ).first.click()
    expect(scope.get_by_role("figure", name="Gaussian that fits").get_by_text("A without")).to_be_visible()
    scope.reload()
    expect(verdict).to_be_visible(timeout=SLOW)
