"""How long a gate that is forced by hand takes to show what it does.

The real Merge page in a browser without a window. A pointer clicks cells of the picture of forced gates, in rows and
columns drawn at random; the time is that from the pointer's release to the first frame after the sentence above has
changed. A click that would shut the last gate of a part changes nothing but a warning and is drawn again. The merges
are made first, by the command line's own code.
"""

import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.base import Benchmark
from benchmarks.tables import Table, high
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import DataSpec, SoftMergeSettings, SourceSpec
from softmerge_core.zoo import families
from tests.browser.chromium import launch
from tests.browser.server import READY, ROOT, Server, wait_for

FAMILIES = ("skills-mlp-experts", "mnist1d-cnn-shared-trunk", "spirals-mlp-shared-trunk")
SOURCES = 4
WATCH = """() => {
  window.took = [];
  let begun = null;
  const told = () => document.querySelector(".st-key-surgery-verdict strong")?.textContent;
  let last = told();
  document.addEventListener("pointerup", () => { begun = performance.now(); }, true);
  new MutationObserver(() => {
    if (begun === null || !told() || told() === last) return;
    const start = begun;
    [last, begun] = [told(), null];
    requestAnimationFrame(() => setTimeout(() => took.push(performance.now() - start)));
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
COUNT = "() => window.took.length"
PATIENCE = 2.0  # seconds after which a click has surely changed nothing


def tables(device: str, *, clicks: int = 40) -> Iterator[Table | str]:
    """Yield a row for each family: how long so many ``clicks`` took."""
    with tempfile.TemporaryDirectory() as folder:
        runs = {name: _made(Path(folder), name) for name in FAMILIES}
        with Server(ROOT / "app.py", Path(folder)) as started, sync_playwright() as playwright:
            browser: Any = launch(playwright)
            head = ("family", "parts x sources", "clicks", "ms, median", "95 %", "longest", "refused")
            yield Table(head, (_row(browser, started.address, name, *run, clicks) for name, run in runs.items()))
            browser.close()


def _made(home: Path, name: str) -> tuple[str, str]:
    """(id, size of its gates) of a merge of the family's first sources, in the runs of this home."""
    family, store = families()[name], RunStore(home / "runs")
    sources = tuple(SourceSpec(model=family.source(model)) for model in family.models[:SOURCES])
    data, settings = DataSpec(dataset=family.dataset), SoftMergeSettings(granularity="channel", steps=200)
    run_id = store.create(MergeSpec(sources=sources, data=data, settings=settings))
    assert conduct(store.folder(run_id)) == "finished"
    gates = (store.read(run_id).result or {})["gates"]
    return run_id, f"{len(gates['parts'])} x {len(gates['sources'])}"


def _row(browser: Any, address: str, name: str, run_id: str, size: str, clicks: int) -> Sequence[str]:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"{address}/merge?run={run_id}")
    page.locator(READY).wait_for()
    page.get_by_text("Edit gates by hand").click()
    chart = page.locator(".st-key-picture-surgery-gates .sm-plot[data-drawn]")
    page.locator(".st-key-picture-surgery-gates").wait_for(timeout=90_000)
    page.locator(".st-key-picture-surgery-gates").scroll_into_view_if_needed()
    chart.wait_for()
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    refused = sum(_click(page, random.Random(seed)) for seed in range(clicks))
    took = page.evaluate("() => window.took")
    page.close()
    return [
        name,
        size,
        str(len(took)),
        f"{statistics.median(took):.0f}",
        f"{high(took):.0f}",
        f"{max(took):.0f}",
        str(refused),
    ]


def _click(page: Page, drawn: random.Random) -> int:
    """Click until one changes the numbers; returns how many did not."""
    area = page.locator(".st-key-picture-surgery-gates .nsewdrag").first.bounding_box()
    assert area
    for refused in range(20):
        before = page.evaluate(COUNT)
        across, down = drawn.uniform(0.05, 0.95), drawn.uniform(0.05, 0.95)
        page.mouse.move(area["x"] + across * area["width"], area["y"] + down * area["height"])
        page.wait_for_timeout(100)  # Plotly takes a click where the pointer was seen before
        page.mouse.down()
        page.mouse.up()
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if page.evaluate(COUNT) > before:
                wait_for(lambda: page.locator(READY).count(), "the page to be through")
                return refused
            page.wait_for_timeout(20)
    raise RuntimeError("no click changes the numbers")


BENCHMARK = Benchmark(
    name="surgery",
    title="Gates forced by hand",
    minutes=3,
    tables=tables,
    peers=("playwright", "streamlit"),
)

if __name__ == "__main__":
    BENCHMARK.main()
