"""The Compare and the Robustness page in a real browser: a small run is started, followed, and found again."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.watching import PLOT, drawn, press_start, removed, run_of, watch

FAMILY = "family=Moons+MLP%2C+label+noise"
TABLE = "[data-testid=stDataFrame]"


def choose(page: Page, *methods: str) -> None:
    """Choose these methods alone."""
    page.get_by_role("button", name="None", exact=True).click()
    expect(page.get_by_text("Choose one method or more")).to_be_visible()
    for method in methods:
        page.get_by_role("button", name=method, exact=True).click()


def test_methods_are_compared_live_in_a_picture_and_a_table(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{site.address}/compare?{FAMILY}&compare-seeds=1")
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    drawn(page, "A dot for every method")  # of the recorded example
    choose(page, "Plain average", "Coordinate median", "Krum", "TIES")
    run_id = press_start(page, "Start comparing")
    expect(page.locator(".st-key-picture-compare .ytick")).to_have_count(4)
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    watch(page, f"{PLOT}, {TABLE}")
    expect(page.get_by_test_id("stProgress")).to_contain_text("Finished")
    expect(page.locator(".st-key-picture-compare")).to_contain_text("learly above")
    assert removed(page) == 0
    with page.expect_download() as download:
        page.locator(".sm-file").get_by_role("button", name="Table").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert {"Plain average", "Coordinate median", "Krum", "TIES", "Best source"} <= {
        line.partition(",")[0] for line in text.splitlines()
    }
    page.reload()
    drawn(page, "A dot for every method")
    assert run_of(page) == run_id
    expect(page.locator(".st-key-picture-compare")).to_contain_text("learly above")


def test_methods_are_attacked_live_and_someone_is_to_blame(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{site.address}/robustness?{FAMILY}")
    expect(page.get_by_role("heading", name="Robustness")).to_be_visible()
    choose(page, "Plain average", "Krum")
    run_id = press_start(page, "Start attacking")
    drawn(page, "Test accuracy of each method over the number")
    drawn(page, "Test accuracy of each method over the strength")
    watch(page)
    drawn(page, "The mean gate of each source")
    expect(page.get_by_test_id("stProgress")).to_contain_text("Finished")
    expect(page.locator(".st-key-verdict")).to_contain_text("With 1 of 4 sources malicious")
    expect(page.locator(".st-key-picture-blame")).to_contain_text("The gates closed on")
    assert removed(page) == 0
    page.reload()
    drawn(page, "The mean gate of each source")
    assert run_of(page) == run_id
    expect(page.locator(".sm-table")).to_contain_text("Krum")
