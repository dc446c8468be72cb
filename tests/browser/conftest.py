"""One Chromium and one server for all browser tests; each test has a window of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from softmerge_core.runs import RunStore
from tests.browser.chromium import launch
from tests.browser.server import PATIENCE, ROOT, Server, visit, wait_for
from tests.browser.windows import Windows

ENDED = ("finished", "stopped", "failed", "interrupted")
FAILED = pytest.StashKey[bool]()


@dataclass(frozen=True)
class Site:
    """The app under test: its address, and the runs in its home."""

    address: str
    store: RunStore


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server, Path]]:
    """The app and the demo pages, started at the same time, and the app's home."""
    home = tmp_path_factory.mktemp("home")
    demos = Path(__file__).parent / "apps" / "server.py"
    with Server(ROOT / "app.py", home) as app, Server(demos, tmp_path_factory.mktemp("demo")) as demo:
        yield app, demo, home


@pytest.fixture
def site(servers: tuple[Server, Server, Path]) -> Iterator[Site]:
    """The app. After the test its runs are stopped, so that the next one has free workers and finds nothing live."""
    app, _, home = servers
    site = Site(app.address, RunStore(home / "runs"))
    yield site
    live = [run.id for run in site.store.list() if run.status not in ENDED]
    for run_id in live:
        site.store.request(run_id, "stop")
    for run_id in live:
        wait_for(lambda run_id=run_id: site.store.status(run_id).status in ENDED, f"run {run_id} to stop")


@pytest.fixture
def demo(servers: tuple[Server, Server, Path]) -> str:
    """The address of the demo pages, which need no workers."""
    return servers[1].address


@pytest.fixture(scope="session")
def windows(browser: Browser) -> Iterator[Windows]:
    with Windows(browser) as opened:
        yield opened


@pytest.fixture
def open_page(windows: Windows, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open an address in a window of its own: ``theme`` "light" or "dark", 1440x900 or (``narrow``) 390x844.

    ``settled=False`` for a page that polls from the beginning.
    """
    taken: list[tuple[Page, bool]] = []

    def start(address: str, *, theme: Any = "light", narrow: bool = False, settled: bool = True) -> Page:
        page = windows.take(theme=theme, narrow=narrow)
        taken.append((page, narrow))
        return visit(page, address, settled=settled)

    yield start
    for number, (page, narrow) in enumerate(taken):
        if request.node.stash.get(FAILED, False):
            picture = tmp_path / f"page-{number}.png"
            page.screenshot(path=picture)
            print(f"what the page showed: {picture}")
            page.context.close()
        else:
            windows.give_back(page, narrow=narrow)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember whether the test failed, so that its pages can be kept as pictures."""
    outcome: Any = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or outcome.get_result().failed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests here patience: each waits for what happens, however busy the machine is."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.timeout(4 * PATIENCE))
