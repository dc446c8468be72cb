"""What it costs a merge to be watched, and whether a server and a browser grow meanwhile.

Long merges run one after another. In turn a browser watches the Merge page and shows an empty one, as many seconds
each; steps are those that the worker wrote down. Memory is that of the server, and of all processes of the browser,
after the first turn and after the last one, both while a merge is watched.
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
from tests.browser.server import READY, ROOT, Server, visit, wait_for

ADDRESS = "?steps=100000&granularity=Layer"
NEAR_END = 90_000  # steps of one merge, after which another is begun
SETTLE = 3.0  # seconds after a change of what the browser shows


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

    def rate(self, seconds: float) -> float:
        """Return the steps a second of the next ``seconds``."""
        time.sleep(SETTLE)
        begun, first = time.monotonic(), self.read()
        time.sleep(seconds)
        return (self.read() - first) / (time.monotonic() - begun)


def memory(process: psutil.Process) -> float:
    """Return the MiB that a process and its children hold for themselves."""
    own = [process, *process.children(recursive=True)]
    return sum(each.memory_full_info().uss for each in own) / 2**20


def turns(page: Page, started: Server, home: Path, seconds: float, minutes: float) -> Iterator[tuple[float, float]]:
    """Yield (steps a second watched, unwatched) of turn after turn."""
    end = time.monotonic() + 60 * minutes
    merge = Merge(page, started.address, home)
    while time.monotonic() < end:
        if merge.steps > NEAR_END:
            page.goto(f"{started.address}/{ADDRESS}")
            page.get_by_role("button", name="Stop").click()
            page.get_by_text("Stopped").first.wait_for()
            merge = Merge(page, started.address, home)
        watched = merge.rate(seconds)
        address = page.url
        page.goto("about:blank")
        unwatched = merge.rate(seconds)
        visit(page, address, settled=False)
        yield watched, unwatched


def tables(device: str, *, seconds: float = 15.0, minutes: float = 5.0) -> Iterator[Table | str]:
    """Yield the ratio of the rates, of ``seconds`` each, over so many ``minutes``; and what memory has become."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(ROOT / "app.py", Path(folder)) as started,
        sync_playwright() as playwright,
    ):
        browser: Any = launch(playwright)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        own, rates, held = psutil.Process(), list[tuple[float, float]](), list[list[float]]()
        server = psutil.Process(started._process.pid)
        for pair in turns(page, started, Path(folder), seconds, minutes):
            rates.append(pair)
            browsers = [each for each in own.children(recursive=True) if "chrom" in each.name()]
            sizes = sum(each.memory_full_info().uss for each in browsers if each.is_running()) / 2**20
            held.append([server.memory_full_info().uss / 2**20, sizes])
        yield from _told(rates, held)


def _told(rates: list[tuple[float, float]], held: list[list[float]]) -> Iterator[Table | str]:
    ratios = [watched / unwatched for watched, unwatched in rates]
    middle = statistics.median(ratios)
    low, *_, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else (middle, middle)
    columns = [statistics.median(column) for column in zip(*rates, strict=True)]
    cells = [str(len(rates)), *(f"{value:.1f}" for value in columns), f"{middle:.2f} ({low:.2f} to {high:.2f})"]
    yield Table(("turns", "steps a second, watched", "unwatched", "ratio"), [cells])
    named = zip(("server", "browser"), held[0], held[-1], strict=True)
    rows = [[name, f"{first:.0f}", f"{last:.0f}", f"{100 * (last / first - 1):+.1f} %"] for name, first, last in named]
    yield Table(("process", "MiB after the first turn", "after the last", "change"), rows)


BENCHMARK = Benchmark(
    name="watching",
    title="A merge that is watched",
    minutes=6,
    tables=tables,
    peers=("playwright", "streamlit"),
)

if __name__ == "__main__":
    BENCHMARK.main()
