"""What visitors cost the server.

Visitors are WebSocket clients without browsers (``tests/browser/visitor.py``), so that the server is measured and not
the drawing of thirty browsers on the same machine. No workers start. CPU time is that of the server, for a rerun of
each page after its first visitor has seen it, and for the first page of one more. Then all open the first page at
once; and all click at random, at a pace and at a quicker one.
"""

import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from pages.site import PAGES
from tests.browser.server import ROOT, Server
from tests.browser.visitor import Visitor

NOWHERE = "tcp://192.0.2.1:8786"  # a scheduler that is refused: no workers are started
RERUNS = 5
PACES = ((5.0, 15.0), (1.0, 3.0))  # seconds between two clicks, at least and at most


def cpu_ms(server: psutil.Process, work: Callable[[], object]) -> float:
    """The CPU time in ms that the server takes while ``work`` is done."""
    before = server.cpu_times()
    work()
    after = server.cpu_times()
    return 1000 * (after.user + after.system - before.user - before.system)


def page_costs(address: str, server: psutil.Process, page: str, blocks: int) -> tuple[float, float]:
    """(CPU in ms of a rerun, median of ``blocks``; CPU in ms of another visitor's first page)."""
    path = "" if page == next(iter(PAGES)) else page
    with Visitor(address) as visitor:
        for _ in range(3):
            visitor.open(path)
        spent = [cpu_ms(server, lambda: [visitor.open(path) for _ in range(RERUNS)]) / RERUNS for _ in range(blocks)]
        with Visitor(address) as another:
            return statistics.median(spent), cpu_ms(server, lambda: another.open(path))


def at_once(address: str, count: int) -> list[float]:
    """The seconds that each of ``count`` visitors waits for the first page, all opening it at once; sorted."""
    gate, waited = threading.Barrier(count), list[float]()

    def visit() -> None:
        with Visitor(address) as visitor:
            gate.wait()
            begun = time.monotonic()
            visitor.open()
            waited.append(time.monotonic() - begun)

    together(visit, count)
    return sorted(waited)


def clicks(address: str, count: int, pause: tuple[float, float], seconds: float) -> list[float]:
    """The seconds that each click of ``count`` visitors takes, who pause so long between two clicks; sorted."""
    gate, waited, numbers = threading.Barrier(count), list[float](), iter(range(count))

    def visit() -> None:
        chance = random.Random(next(numbers))
        with Visitor(address) as visitor:
            visitor.open()
            gate.wait()
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(chance.uniform(*pause))
                begun = time.monotonic()
                visitor.open()
                waited.append(time.monotonic() - begun)

    together(visit, count)
    return sorted(waited)


def together(visit: Callable[[], None], count: int) -> None:
    """Let ``count`` visitors do the same at the same time."""
    threads = [threading.Thread(target=visit) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def share(values: Sequence[float], part: float) -> float:
    """The value that this part of the sorted ``values`` does not exceed."""
    return values[min(int(part * len(values)), len(values) - 1)]


def tables(device: str, *, visitors: int = 30, blocks: int = 5, seconds: float = 60.0) -> Iterator[Table | str]:
    """Yield the tables: ``blocks`` of reruns are timed of each page, and ``seconds`` of clicking at each pace."""
    with (
        tempfile.TemporaryDirectory() as home,
        Server(ROOT / "app.py", Path(home), DASK_SCHEDULER_ADDRESS=NOWHERE) as started,
    ):
        server = psutil.Process(started._process.pid)
        yield Table(("page", "CPU a rerun, ms", "another visitor's first page, ms"), _pages(started, server, blocks))
        waited = at_once(started.address, visitors)
        yield f"{visitors} open at once: 95 % within {share(waited, 0.95):.2f} s, the last after {waited[-1]:.2f} s."
        columns = ("clicks every, s", "clicks", "median, s", "95 %, s", "memory of the server")
        yield Table(columns, _paces(started, server, visitors, seconds))


def _pages(started: Server, server: psutil.Process, blocks: int) -> Iterator[list[str]]:
    for page in PAGES:
        yield [page, *(f"{spent:.0f}" for spent in page_costs(started.address, server, page, blocks))]


def _paces(started: Server, server: psutil.Process, visitors: int, seconds: float) -> Iterator[list[str]]:
    for least, most in PACES:
        before = server.memory_info().rss
        waited = clicks(started.address, visitors, (least, most), seconds)
        grown = f"{100 * (server.memory_info().rss / before - 1):+.1f} %"
        median, late = f"{share(waited, 0.5):.2f}", f"{share(waited, 0.95):.2f}"
        yield [f"{least:g} to {most:g}", str(len(waited)), median, late, grown]


BENCHMARK = Benchmark(
    name="visitors", title="What visitors cost the server", minutes=5, tables=tables, peers=("streamlit",)
)

if __name__ == "__main__":
    BENCHMARK.main()
