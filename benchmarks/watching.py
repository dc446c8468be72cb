"""What it costs a merge to be watched, and whether a server and a browser grow meanwhile.

Long merges run one after another. The beginnings of some, from the first step on, are watched on the Merge page, in
turn with as many whose page is left at once; later the page is watched and, as browsers do with hidden tabs, frozen
in turn. Steps are those that the worker wrote down. All runs on the same machine, where the browser draws without a
graphics card. Memory is that of the server, and of all processes of the browser, after the first turn and after the
last one, both while a merge is watched.
"""

import json
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Page, sync_playwright

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from tests.browser.chromium import launch
from tests.browser.server import READY, ROOT, Server, wait_for

ADDRESS = "?steps=100000&granularity=Layer"
NEAR_END = 90_000  # steps of one merge, after which another is begun
OPENED, THAWED, FROZEN = 90.0, 4.0, 1.0  # seconds until a page is at rest
BEGINNING, BEGINNINGS = 10.0, 3  # seconds, and how many of each kind


class Merge:
    """A merge begun on the page, which is then open at it."""

    def __init__(self, page: Page, address: str, home: Path) -> None:
        before = set((home / "runs").glob("*/events.jsonl"))
        page.goto(f"{address}/{ADDRESS}")
        page.locator(READY).wait_for()
        page.get_by_role("button", name="Start merging").click()
        self._events = wait_for(lambda: set((home / "runs").glob("*/events.jsonl")) - before, "the run").pop()
        self._at, self.steps = 0, 0
        wait_for(lambda: self.read() > 0, "the first steps")

    def read(self) -> int:
        """Return the steps that are done."""
        with self._events.open("rb") as file:
            file.seek(self._at)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._at += len(whole)
        for line in whole.splitlines():
            event = json.loads(line)
            if event["kind"] == "progress":
                self.steps = event["step"]
        return self.steps

    def rate(self, seconds: float, settle: float = 0.0) -> float:
        """Return the steps a second of the ``seconds`` that begin after ``settle`` seconds."""
        time.sleep(settle)
        begun, first = time.monotonic(), self.read()
        time.sleep(seconds)
        return (self.read() - first) / (time.monotonic() - begun)


def stop(page: Page, address: str) -> None:
    """Stop the run whose page is at ``address``."""
    page.goto(address)
    page.get_by_role("button", name="Stop").click()
    page.get_by_text("Stopped").first.wait_for()


def beginnings(page: Page, started: Server, home: Path) -> Iterator[tuple[float, float]]:
    """Yield (steps a second watched, unwatched) of the beginnings of merges."""
    for _ in range(BEGINNINGS):
        rates = []
        for watched in (True, False):
            merge = Merge(page, started.address, home)
            address = page.url
            if not watched:
                page.goto("about:blank")
            rates.append(merge.rate(BEGINNING))
            stop(page, address)
        yield rates[0], rates[1]


def turns(page: Page, started: Server, home: Path, seconds: float, minutes: float) -> Iterator[tuple[float, float]]:
    """Yield (steps a second watched, unwatched) of turn after turn."""
    merge, rest = Merge(page, started.address, home), OPENED
    session = page.context.new_cdp_session(page)
    end = time.monotonic() + OPENED + 60 * minutes
    while time.monotonic() < end:
        if merge.steps > NEAR_END:
            stop(page, page.url)
            merge, rest = Merge(page, started.address, home), OPENED
        watched, rest = merge.rate(seconds, rest), THAWED
        session.send("Page.setWebLifecycleState", {"state": "frozen"})
        unwatched = merge.rate(seconds, FROZEN)
        session.send("Page.setWebLifecycleState", {"state": "active"})
        yield watched, unwatched


def tables(device: str, *, seconds: float = 30.0, minutes: float = 6.0) -> Iterator[Table | str]:
    """Yield the ratios of the rates, of ``seconds`` each, over so many ``minutes``; and what memory has become."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(ROOT / "app.py", Path(folder)) as started,
        sync_playwright() as playwright,
    ):
        browser: Any = launch(playwright)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        own, rates, held = psutil.Process(), list[tuple[float, float]](), list[list[float]]()
        server = psutil.Process(started._process.pid)
        early = list(beginnings(page, started, Path(folder)))
        for pair in turns(page, started, Path(folder), seconds, minutes):
            rates.append(pair)
            browsers = [each for each in own.children(recursive=True) if "chrom" in each.name()]
            sizes = sum(each.memory_full_info().uss for each in browsers if each.is_running()) / 2**20
            held.append([server.memory_full_info().uss / 2**20, sizes])
        head = ("of a merge", "turns", "steps a second, watched", "unwatched", "ratio")
        rows = [_row(f"the first {BEGINNING:.0f} s", early), _row("later", rates)]
        yield Table(head, rows)
        yield _grown(held)


def _row(what: str, rates: list[tuple[float, float]]) -> list[str]:
    ratios = [watched / unwatched for watched, unwatched in rates]
    middle = statistics.median(ratios)
    low, *_, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else (middle, middle)
    columns = [statistics.median(column) for column in zip(*rates, strict=True)]
    return [what, str(len(rates)), *(f"{value:.1f}" for value in columns), f"{middle:.2f} ({low:.2f} to {high:.2f})"]


def _grown(held: list[list[float]]) -> Table:
    named = zip(("server", "browser"), held[0], held[-1], strict=True)
    rows = [[name, f"{first:.0f}", f"{last:.0f}", f"{100 * (last / first - 1):+.1f} %"] for name, first, last in named]
    return Table(("process", "MiB after the first turn", "after the last", "change"), rows)


BENCHMARK = Benchmark(
    name="watching",
    title="A merge that is watched",
    minutes=10,
    tables=tables,
    peers=("playwright", "streamlit"),
)

if __name__ == "__main__":
    BENCHMARK.main()
