"""A real Chromium and a real Streamlit server, for tests of what a reader sees and does."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
APPS = Path(__file__).parent / "apps"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
PLACES = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
    *(
        Path(os.environ[folder], tail)
        for folder in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
        for tail in ("Google/Chrome/Application/chrome.exe", "Microsoft/Edge/Application/msedge.exe")
        if folder in os.environ
    ),
)
FLAGS = (
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MISSING = (
    "The browser tests found no browser. Install Chromium or Google Chrome (Debian, Ubuntu: apt install "
    "chromium; macOS: brew install --cask google-chrome), or run: python -m playwright install chromium"
)
READY = "[data-testid=stApp][data-test-script-state=notRunning]"


def installed_browser() -> str | None:
    """The path of a Chromium or Chrome on this machine, if there is one in the usual places."""
    found = (Path(path) for path in map(shutil.which, NAMES) if path)
    return next((str(path) for path in (*found, *PLACES) if path.exists()), None)


def launch(playwright: Playwright) -> Browser:
    """Start the installed browser, else Playwright's own; without either the test fails, with what to do."""
    path = installed_browser() or playwright.chromium.executable_path
    if not Path(path).exists():
        pytest.fail(MISSING, pytrace=False)
    sandbox = [] if not hasattr(os, "geteuid") or os.geteuid() else ["--no-sandbox"]
    return playwright.chromium.launch(executable_path=path, args=[*FLAGS, *sandbox])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = launch(playwright)
        yield started
        started.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serve(script: Path, home: Path, **environment: str) -> Iterator[str]:
    """Run a Streamlit script in a process of its own; yields its address. ``home`` is its SOFTMERGE_HOME."""
    port = free_port()
    log = home / "server.log"
    variables = {"SOFTMERGE_HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **variables}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(lambda: _healthy(address, process, log), 60, "the server to start")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


def _healthy(address: str, process: subprocess.Popen[bytes], log: Path) -> bool:
    if process.poll() is not None:
        pytest.fail(f"the server ended with {process.returncode}:\n{log.read_text(errors='replace')[-3000:]}")
    try:
        with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> Any:
    """The first true value of ``condition``; fails the test after ``seconds``."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    return pytest.fail(f"waited {seconds} s in vain for {what}")


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Start a demo app by its name, or any script by its path; returns its address.

    Tests that ask for the same script and environment share one server (each page is a session of its own).
    """
    running: dict[Any, Any] = {}

    def start(script: str | Path, **environment: str) -> str:
        wanted = (str(script), *sorted(environment.items()))
        if wanted not in running:
            folder = tmp_path_factory.mktemp("app")
            if isinstance(script, Path):
                context = serve(script, folder, **environment)
            else:
                context = serve(APPS / "server.py", folder, DEMO=script, **environment)
            running[wanted] = (context, context.__enter__())
        return str(running[wanted][1])

    yield start
    for context, _ in reversed(running.values()):
        context.__exit__(None, None, None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A busy machine may delay browser or server by seconds: what fails here is tried twice more before it counts."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=2))


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Remember whether the test failed, so that its pages can be kept as pictures."""
    outcome: Any = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or outcome.get_result().failed


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open an address in a fresh window: ``theme`` "light" or "dark", 1440x900 or (``narrow``) 390x844."""
    contexts: list[Any] = []

    def start(address: str, *, theme: Any = "light", narrow: bool = False) -> Page:
        size: Any = {"width": 390, "height": 844} if narrow else {"width": 1440, "height": 900}
        context = browser.new_context(viewport=size, color_scheme=theme, has_touch=narrow)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.goto(address)
        page.locator(READY).wait_for()
        return page

    yield start
    for number, context in enumerate(contexts):
        if request.node.stash.get(FAILED, False):
            picture = tmp_path / f"page-{number}.png"
            context.pages[0].screenshot(path=picture)
            print(f"what the page showed: {picture}")
        context.close()
