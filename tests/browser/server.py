"""A Streamlit server in a process of its own, for the browser tests and for benchmarks of pages."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page

ROOT = Path(__file__).resolve().parents[2]
READY = "[data-testid=stApp][data-test-script-state=notRunning]"
PATIENCE = 90.0  # seconds after which something that a test waits for is taken to be broken


class Server:
    """Runs a Streamlit script. ``home`` is its ``SOFTMERGE_HOME``, and keeps its log.

    The process is started at once; ``address`` waits until it answers. As a context manager it ends the process.
    """

    def __init__(self, script: Path, home: Path, **environment: str) -> None:
        port = _free_port()
        self._address = f"http://127.0.0.1:{port}"
        self._log = home / "server.log"
        variables = {"SOFTMERGE_HOME": str(home), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment}
        command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", str(port)]
        command += ["--server.address", "127.0.0.1", "--server.headless", "true"]
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env={**os.environ, **variables}, stdout=output, stderr=subprocess.STDOUT
            )

    @property
    def address(self) -> str:
        """The address, once the server answers there; raises RuntimeError with its log when it ends instead."""
        wait_for(self._healthy, "the server to start")
        return self._address

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _healthy(self) -> bool:
        if self._process.poll() is not None:
            text = self._log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"the server ended with {self._process.returncode}:\n{text}")
        try:
            with urllib.request.urlopen(f"{self._address}/_stcore/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False


@contextmanager
def serve(script: Path, home: Path, **environment: str) -> Iterator[str]:
    """Run a Streamlit script in a process of its own and yield its address."""
    with Server(script, home, **environment) as server:
        yield server.address


def wait_for(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Return the first true value of ``condition``; raises TimeoutError, which says for what it waited."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.05)
    return value


def visit(page: Page, address: str, *, settled: bool = True) -> Page:
    """Open an address and wait until its script has run; ``settled=False``: it polls, so its script runs on and on."""
    page.goto(address)
    page.locator(READY if settled else "[data-testid=stMainBlockContainer]").wait_for()
    return page


def glossary(page: Page) -> Locator:
    """The sign that explains the words over the gates' picture."""
    words = page.get_by_test_id("stMarkdown").filter(has_text="Gates.")
    return words.get_by_role("button", name="Help").first


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
