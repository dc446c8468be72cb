"""The Federated page in a real browser: shards before anything is run, then rounds, live, found again on reload."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ROOT
from tests.browser.test_compare_page import SLOW, WATCH, drawn, run_of, start

pytestmark = pytest.mark.browser


def test_clients_learn_together_live(app: Callable[..., str], open_page: Callable[..., Page]) -> None:
    page = open_page(f"{app(ROOT / 'app.py')}/federated?federated-rounds=4&federated-algorithms=fedavg")
    expect(page.get_by_role("heading", name="Federated")).to_be_visible()
    drawn(page, "The number of samples of each class that every client will get")
    run_id = start(page, "Start rounds")
    drawn(page, "Test accuracy of the server's network")
    drawn(page, "The accuracy of each client's network")
    page.evaluate(WATCH)
    expect(page.get_by_test_id("stProgress")).to_contain_text("Finished", timeout=SLOW)
    expect(page.locator(".st-key-verdict")).to_contain_text(re.compile("After 4 of 4 rounds"))
    assert page.evaluate("window.removed") == 0
    expect(page.locator(".sm-table")).to_contain_text("FedAvg with scope alignment")
    page.reload()
    drawn(page, "How far the clients' weight scopes are")
    assert run_of(page) == run_id
