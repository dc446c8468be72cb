"""The Runs page in a browser: runs are found, set side by side, opened with their settings, thrown away, restored."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from softmerge_core.experiments.merge.spec import small
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import conduct
from tests.browser.conftest import Site
from tests.browser.server import visit

ROW, HEAD = 35, 35  # px: of the table


def merged(store: RunStore, name: str, penalty: float) -> str:
    spec = small()
    settings = spec.settings.model_copy(update={"penalty": penalty, "granularity": "layer"})
    run_id = store.create(spec.model_copy(update={"name": name, "settings": settings}))
    conduct(store.folder(run_id))
    return run_id


def choose(page: Page, row: int) -> None:
    """Press the box of a row, as a reader does: the table is drawn on a canvas."""
    box = page.locator("[data-testid=stDataFrame] canvas").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 15, box["y"] + HEAD + ROW * row + ROW // 2)


def find(page: Page, words: str) -> None:
    page.locator(".st-key-runs-words input").fill(words)
    page.keyboard.press("Enter")


def test_a_run_is_found_compared_opened_deleted_and_brought_back(site: Site, open_page: Callable[..., Page]) -> None:
    first, second = merged(site.store, "Weak wish", 0.001), merged(site.store, "Strong wish", 0.25)
    page = open_page(f"{site.address}/runs")
    find(page, "wish merge")
    expect(page.get_by_text("2 runs like that")).to_be_visible()
    choose(page, 0)
    expect(page.locator(".st-key-runs-actions").get_by_role("button", name="Open")).to_be_visible()
    choose(page, 1)
    expect(page.get_by_role("heading", name="Side by side")).to_be_visible()
    expect(page.get_by_role("cell", name="penalty")).to_be_visible()
    expect(page.locator(".st-key-picture-beside-curves .js-plotly-plot")).to_be_visible()
    choose(page, 0)  # is no longer chosen: the older one is left
    page.locator(".st-key-runs-actions").get_by_role("button", name="Open").click()
    page.wait_for_url(lambda url: "/runs" not in url and f"run={first}" in url)
    expect(page.locator(".st-key-penalty input")).to_have_value("0.001")
    expect(page.get_by_role("button", name="Use the settings of this run")).to_have_count(0)
    visit(page, f"{site.address}/runs?runs-words=strong")
    expect(page.get_by_text("1 run like that")).to_be_visible()
    choose(page, 0)
    page.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("No run is like that")).to_be_visible()
    assert second not in [run.id for run in site.store.list()]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 run like that")).to_be_visible()
    assert second in [run.id for run in site.store.list()]
