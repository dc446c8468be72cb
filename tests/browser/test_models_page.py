"""The Models page in a browser: a model trained live is then offered on the Merge page."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT

pytestmark = pytest.mark.browser

FAMILY = "Spirals+MLP%2C+shared+trunk"
NAME = "<i>Mine</i> $x$ **b**"
SLOW = 60_000  # ms: the first training waits for workers to start
# The pictures of the task before may still be going; the training's own must stay.
WATCH = """() => {
  window.removed = 0;
  const own = '.st-key-picture-training';
  const gone = (node) => node.nodeType === 1 && (node.matches('.sm-plot') || node.querySelector('.sm-plot'));
  const ours = (node, from) => from.closest(own) || node.matches(own) || node.querySelector(own);
  new MutationObserver((records) => {
    for (const record of records) for (const node of record.removedNodes)
      if (gone(node) && ours(node, record.target)) window.removed += 1;
  }).observe(document.body, { childList: true, subtree: true });
}"""


@pytest.fixture
def models(app: Callable[..., str], open_page: Callable[..., Page]) -> Page:
    return open_page(f"{app(ROOT / 'app.py')}/models?models={FAMILY}")


def fill(page: Page, label: str, value: str) -> None:
    field = page.locator(f"input[aria-label='{label}']")
    field.fill(value)
    field.press("Enter")
    field.blur()


def test_a_model_is_trained_live_and_offered_on_the_merge_page(models: Page) -> None:
    expect(models.get_by_role("figure", name="Accuracy of each model")).to_have_attribute("data-drawn", "yes")
    expect(models.locator(".sm-models tbody tr")).to_have_count(4)
    models.get_by_role("radio", name="Train").or_(models.get_by_role("button", name="Train", exact=True)).first.click()
    fill(models, "Epochs", "150")
    fill(models, "Name", NAME)
    start = models.get_by_role("button", name="Start training")
    expect(start).to_be_enabled()
    start.click()
    chart = models.get_by_role("figure", name="Training:")
    expect(chart).to_have_attribute("data-drawn", "yes", timeout=SLOW)
    models.evaluate(WATCH)
    kept = models.get_by_text(f"Kept in your library as {NAME}")
    expect(kept).to_be_visible(timeout=SLOW)
    assert models.evaluate("() => window.removed") == 0
    models.reload()
    expect(kept).to_be_visible(timeout=SLOW)  # the same training is shown again
    models.get_by_role("button", name="Merge it").click()
    expect(models.get_by_role("button", name="Start merging")).to_be_enabled(timeout=SLOW)
    models.get_by_text("Bring your own").first.click()
    library = models.get_by_test_id("stMultiSelect").filter(has_text="From your library")
    expect(library).to_contain_text(NAME)
