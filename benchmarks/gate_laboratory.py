"""What a drag in the gate laboratory costs: frames a second, and the time of the script in each of them.

The real page, in a browser without a window and without a graphics card. A pointer takes a handle and moves it to and
fro for some seconds; a frame is the time from one callback of ``requestAnimationFrame`` to the next. At the same time
samples rain, and as many draws as told are sorted anew for each state. The script's own time is that between two
readings of ``performance.now``, in the callback that computes, draws all pictures and writes the sentences; "main
thread" is all that the browser's own counters tell of it, so also layout and painting, over the number of frames. A
busy machine distorts frames, and hardly the script's own time. A screen of 60 Hz gives each frame 16.7 ms.
"""

import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from benchmarks.base import Benchmark
from benchmarks.tables import Table, high
from tests.browser.chromium import launch
from tests.browser.server import READY, ROOT, Server

HANDLES = {  # what is dragged: its picture, its name, and how far, in px to the right and down
    "log alpha": ("gate", "log_alpha", (120, 0)),
    "temperature": ("gate", "temperature", (0, 40)),
    "lower end": ("gate", "gamma", (-40, 0)),
    "log alpha, beside L0": ("l0", "log_alpha", (60, 0)),
}
SIZES = {"desktop": (1440, 900, 1), "phone": (390, 844, 3)}  # px, px, pixels of the screen for each
FIND = """(host) => {
  for (let at = host; at; at = at.parentNode ?? at.host) if (at.softmergeGate) return at.softmergeGate;
}"""
BEGIN = """(lab) => {
  const seen = window.gateFrames = [];
  lab.times.length = 0;
  const next = (now) => { seen.push(now); if (window.gateFrames === seen) requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""
END = "(lab) => { const seen = window.gateFrames; window.gateFrames = null; return [seen, [...lab.times]]; }"
LATE = 20.0  # ms


def tables(device: str, *, seconds: float = 3.0, draws: int = 1000) -> Iterator[Table | str]:
    """Yield a row for each handle on a desktop's screen and on a phone's, each dragged for so many ``seconds``."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Server(ROOT / "app.py", Path(folder)) as started,
        sync_playwright() as playwright,
    ):
        browser: Any = launch(playwright)
        head = (
            "screen", "handle", "frames", "ms a frame, median", "95 %", f"over {LATE:.0f} ms",
            "ms of the script, median", "95 %", "longest", "ms of the main thread a frame",
        )  # fmt: skip
        yield Table(head, _rows(browser, started.address, seconds, draws))
        browser.close()


def _rows(browser: Any, address: str, seconds: float, draws: int) -> Iterator[Sequence[str]]:
    for screen, (width, height, density) in SIZES.items():
        context = browser.new_context(viewport={"width": width, "height": height}, device_scale_factor=density)
        page = context.new_page()
        page.goto(f"{address}/gate")
        page.locator(READY).wait_for()
        page.locator(".sm-gate button[name=many]").wait_for()
        for _ in range(draws // 1000):
            page.locator(".sm-gate button[name=many]").click()
        for name, handle in HANDLES.items():
            yield [screen, name, *_drag(page, handle, seconds)]
        context.close()


def _drag(page: Page, handle: tuple[str, str, tuple[int, int]], seconds: float) -> Iterator[str]:
    """Yield the cells of one drag, which ends where it began."""
    picture, name, (right, down) = handle
    place = page.locator(f".sm-handle[data-in={picture}][data-name={name}]")
    place.scroll_into_view_if_needed()
    box = place.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    laboratory = page.locator(".sm-gate").evaluate_handle(FIND)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    page.mouse.move(x, y)
    page.mouse.down()
    before = _main_thread(session)
    laboratory.evaluate(BEGIN)
    begun = time.monotonic()
    while (gone := time.monotonic() - begun) < seconds:
        part = math.sin(2 * math.pi * gone)
        page.mouse.move(x + right * part, y + down * part)
    seen, script = laboratory.evaluate(END)
    spent = 1e3 * (_main_thread(session) - before)
    page.mouse.move(x, y)
    page.mouse.up()
    session.detach()
    frames = [later - earlier for earlier, later in pairwise(seen)]
    yield from _cells(frames, script, spent)


def _main_thread(session: Any) -> float:
    """The seconds for which the page's main thread has worked since the page was opened."""
    metrics = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
    return float(metrics["TaskDuration"])


def _cells(frames: Sequence[float], script: Sequence[float], spent: float) -> Iterator[str]:
    late = sum(each > LATE for each in frames) / len(frames)
    yield str(len(frames))
    yield f"{statistics.median(frames):.1f}"
    yield f"{high(frames):.1f}"
    yield f"{100 * late:.0f} %"
    yield f"{statistics.median(script):.2f}"
    yield f"{high(script):.2f}"
    yield f"{max(script):.2f}"
    yield f"{spent / len(frames):.1f}"


BENCHMARK = Benchmark(
    name="gate_laboratory",
    title="A drag in the gate laboratory",
    minutes=1,
    tables=tables,
    peers=("playwright", "streamlit"),
)

if __name__ == "__main__":
    BENCHMARK.main()
