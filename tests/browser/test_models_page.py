"""The Models page in a browser: a model trained live is then offered on the Merge page."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.watching import drawn, removed, watch

FAMILY = "Spirals+MLP%2C+shared+trunk"
NAME = "<i>Mine</i> $x$ **b**"


def fill(page: Page, label: str, value: str) -> None:
    field = page.locator(f"input[aria-label='{label}']")
    field.fill(value)
    field.press("Enter")
    field.blur()


def test_a_model_is_trained_live_and_offered_on_the_merge_page(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{site.address}/models?models={FAMILY}")
    drawn(page, "Accuracy of each model")
    expect(page.locator(".sm-models tbody tr")).to_have_count(4)
    page.get_by_role("radio", name="Train").or_(page.get_by_role("button", name="Train", exact=True)).first.click()
    fill(page, "Epochs", "60")
    fill(page, "Name", NAME)
    page.get_by_role("button", name="Start training").click()
    drawn(page, "Training:")
    watch(page, within=".st-key-picture-training")  # those of the task before may still be going
    kept = page.get_by_text(f"Kept in your library as {NAME}")
    expect(kept).to_be_visible()
    assert removed(page) == 0
    page.reload()
    expect(kept).to_be_visible()  # the same training is shown again
    page.get_by_role("button", name="Merge it").click()
    expect(page.get_by_role("button", name="Start merging")).to_be_enabled()
    page.get_by_text("Bring your own").first.click()
    library = page.get_by_test_id("stMultiSelect").filter(has_text="From your library")
    expect(library).to_contain_text(NAME)


def test_the_values_of_a_grid_of_samples_are_a_row_for_each(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{site.address}/models?do=Bring+in")
    plot = page.locator(".st-key-picture-samples .sm-plot")
    plot.get_by_role("button", name="Values as a table").press("Enter")
    table = plot.get_by_role("region").get_by_role("table")
    heads = ["Class", "Training sample of it", "Lowest number", "Mean", "Highest number"]
    expect(table.get_by_role("columnheader")).to_have_text(heads)
    expect(table.get_by_role("row")).to_have_count(1 + 10 * 12)  # twelve of each digit
    expect(table.get_by_role("row").last.get_by_role("cell").first).to_have_text("9")
