"""The speed of the Merge page in a real browser: ``python -m benchmarks.merge_page``.

The first part starts a server and measures the time from opening the page to the first live picture of gates, with
the button pressed as soon as it is there. The second part does a few runs with warm workers. It measures the time
from opening the page until its button can be pressed, the time from the press to the first picture of the new run's
gates, the updates of that picture per second while the run is live, and the number of chart nodes removed meanwhile.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from tests.browser.chromium import launch
from tests.browser.server import READY, ROOT, serve

GATES = ".st-key-picture-gates .sm-plot"
MEASURED = ("open, s", "first gates, s", "updates/s", "nodes removed")
ADDRESS = "?steps=2000&granularity=Channel"
WATCH = """() => {
  window.removed = 0;
  new MutationObserver((changes) => {
    for (const change of changes) for (const node of change.removedNodes)
      if (node.nodeType === 1 && (node.matches('.sm-plot') || node.querySelector('.sm-plot'))) window.removed += 1;
  }).observe(document.body, { childList: true, subtree: true });
}"""
# Presses the button and resolves, in ms, when the gates are redrawn after the page says that the run has begun.
PRESS = """() => new Promise((resolve) => {
  const plot = document.querySelector('.st-key-picture-gates .sm-plot');
  const button = [...document.querySelectorAll('button')].find((b) => b.textContent.includes('Start merging'));
  const begun = performance.now();
  const look = () => {
    const sources = plot.querySelectorAll('.xtick text').length;
    const rows = (plot.querySelector('.js-plotly-plot')?.data?.[0]?.z ?? []).length;
    const fresh = document.querySelector('[data-testid=stProgress]').textContent.match(/step \\d/i);
    if (fresh && rows && sources) resolve(performance.now() - begun); else requestAnimationFrame(look);
  };
  button.click();
  requestAnimationFrame(look);
})"""


def measure(browser: Browser, address: str, seconds: float) -> dict[str, float]:
    """Visit the page once: open it, press the button, watch for ``seconds``, and stop the run."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    begun = time.monotonic()
    page.goto(f"{address}/{ADDRESS}")
    page.locator(READY).wait_for()
    page.get_by_role("button", name="Start merging").wait_for()
    opened = time.monotonic() - begun
    page.locator(f"{GATES}[data-drawn]").wait_for()
    first = float(page.evaluate(PRESS)) / 1000
    page.evaluate(WATCH)
    before, begun = _updates(page), time.monotonic()
    page.wait_for_timeout(seconds * 1000)
    rate = (_updates(page) - before) / (time.monotonic() - begun)
    removed = float(page.evaluate("window.removed"))
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped").wait_for()
    page.context.close()
    return dict(zip(MEASURED, (opened, first, rate, removed), strict=True))


def cold_start(browser: Browser) -> float:
    """Return the seconds from opening the page of a newly started server to the first live gates of a run."""
    with tempfile.TemporaryDirectory() as home, serve(ROOT / "app.py", Path(home)) as address:
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        begun = time.monotonic()
        page.goto(address)
        page.locator(READY).wait_for()
        page.get_by_role("button", name="Start merging").click()
        page.wait_for_function("/step \\d/i.test(document.querySelector('[data-testid=stProgress]').innerText)")
        page.locator(f"{GATES}[data-drawn]").wait_for()
        return time.monotonic() - begun


def _updates(page: Page) -> int:
    return int(page.locator(GATES).get_attribute("data-updates") or 0)


def tables(device: str, *, visits: int = 5, cold: int = 3, seconds: float = 4.0) -> Iterator[Table | str]:
    """Yield the cold starts; and the visits, each with ``seconds`` of a live run, with their medians."""
    with sync_playwright() as playwright:
        browser: Any = launch(playwright)
        yield Table(("cold start", "page open to first live gates, s"), _cold(browser, cold))
        yield Table(("visit", *MEASURED), _visits(browser, visits, seconds))
        browser.close()


def _cold(browser: Browser, times: int) -> Iterator[list[str]]:
    for number in range(times):
        yield [str(number + 1), f"{cold_start(browser):.1f}"]


def _visits(browser: Browser, times: int, seconds: float) -> Iterator[list[str]]:
    with tempfile.TemporaryDirectory() as home, serve(ROOT / "app.py", Path(home)) as address:
        _warm(browser, address)
        rows: list[dict[str, float]] = []
        for number in range(times):
            rows.append(measure(browser, address, seconds))
            yield [str(number + 1), *(f"{rows[-1][name]:.2f}" for name in MEASURED)]
        yield ["median", *(f"{statistics.median(row[name] for row in rows):.2f}" for name in MEASURED)]


def _warm(browser: Browser, address: str) -> None:
    """Do a short first run, so that no worker is still starting."""
    page = browser.new_context().new_page()
    page.goto(f"{address}/?steps=20&granularity=Model")
    page.locator(READY).wait_for()
    page.get_by_role("button", name="Start merging").click()
    page.get_by_text("Finished after 20").wait_for(timeout=60_000)
    page.context.close()


BENCHMARK = Benchmark(
    name="merge_page",
    title="The Merge page in a real browser",
    minutes=3,
    tables=tables,
    peers=("playwright", "streamlit"),
)

if __name__ == "__main__":
    BENCHMARK.main()
