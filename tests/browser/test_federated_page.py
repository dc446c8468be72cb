"""The Federated page in a real browser: shards before anything is run, then rounds, live, found again on reload."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.watching import drawn, press_start, removed, run_of, watch

SMALL = "federated-rounds=3&federated-algorithms=fedavg&federated-local_epochs=2"


def test_clients_learn_together_live(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(f"{site.address}/federated?{SMALL}")
    expect(page.get_by_role("heading", name="Federated")).to_be_visible()
    drawn(page, "The number of samples of each class that every client will get")
    run_id = press_start(page, "Start rounds")
    drawn(page, "Test accuracy of the server's network")
    drawn(page, "The accuracy of each client's network")
    watch(page)
    expect(page.get_by_test_id("stProgress")).to_contain_text("Finished")
    expect(page.locator(".st-key-verdict")).to_contain_text("After 3 of 3 rounds")
    assert removed(page) == 0
    expect(page.locator(".sm-table")).to_contain_text("FedAvg with scope alignment")
    page.reload()
    drawn(page, "How far the clients' weight scopes are")
    assert run_of(page) == run_id
