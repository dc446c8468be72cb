"""What visitors cost the server: ``python -m benchmarks.visitors``.

Visitors are WebSocket clients without browsers (``tests/browser/visitor.py``), so that the server is measured and not
the drawing of thirty browsers on the same machine. No workers are started. It prints

- the server's CPU time a rerun of each page, after its first visitor has seen it, and for the first page of one more;
- how long each of ``--visitors`` waits for the first page when all open it at once, and 95 % of them at most;
- how long a click takes, median and 95 %, with all of them clicking at random every ``--pause`` seconds;
- the server's memory before and after the clicks.
"""

import argparse
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from pages.site import PAGES
from tests.browser.server import ROOT, Server
from tests.browser.visitor import Visitor

NOWHERE = "tcp://192.0.2.1:8786"  # a scheduler that is refused: no workers are started
RERUNS = 5


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


def main() -> None:
    """Print what was measured, a line for each page and each pace of clicking."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--visitors", type=int, default=30)
    options.add_argument("--blocks", type=int, default=5, help=f"of {RERUNS} reruns of a page each")
    options.add_argument("--seconds", type=float, default=60.0, help="of clicking, at each pace")
    options.add_argument("--pause", type=float, nargs=2, action="append", metavar=("LEAST", "MOST"))
    chosen = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as home,
        Server(ROOT / "app.py", Path(home), DASK_SCHEDULER_ADDRESS=NOWHERE) as started,
    ):
        measure(started.address, psutil.Process(started._process.pid), chosen)


def measure(address: str, server: psutil.Process, chosen: argparse.Namespace) -> None:
    """Measure one server as the options say."""
    for page in PAGES:
        rerun, first = page_costs(address, server, page, chosen.blocks)
        print(f"{page}: {rerun:.0f} ms of CPU a rerun, {first:.0f} ms the first page of another visitor", flush=True)
    waited = at_once(address, chosen.visitors)
    print(f"{chosen.visitors} open at once: p95 {share(waited, 0.95):.2f} s, the last {waited[-1]:.2f} s", flush=True)
    for least, most in chosen.pause or [(5.0, 15.0), (1.0, 3.0)]:
        before = server.memory_info().rss
        waited = clicks(address, chosen.visitors, (least, most), chosen.seconds)
        grown = 100 * (server.memory_info().rss / before - 1)
        told = f"median {share(waited, 0.5):.2f} s, p95 {share(waited, 0.95):.2f} s of {len(waited)} clicks"
        print(f"clicks every {least:g}-{most:g} s: {told}; the server's memory {grown:+.1f} %", flush=True)


if __name__ == "__main__":
    main()
