"""The cost of a piece of work: its seconds, and its peak memory."""

import threading
import time
from types import TracebackType

import psutil

INTERVAL = 0.005  # seconds between two looks at the memory


class Cost:
    """A context manager that measures the work inside it.

    ``seconds``: its wall-clock time; ``memory``: the peak size of this process above its size before, in MB. The size
    is looked at every INTERVAL seconds, so a shorter peak may be missed, and other threads count too.
    """

    def __enter__(self) -> "Cost":
        self._process = psutil.Process()
        self._before = self._peak = self._process.memory_info().rss
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        self._begun = time.monotonic()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.monotonic() - self._begun
        self._look()
        self._over.set()
        self._thread.join()
        self.memory = (self._peak - self._before) / 2**20

    def _look(self) -> None:
        self._peak = max(self._peak, self._process.memory_info().rss)

    def _watch(self) -> None:
        while not self._over.wait(INTERVAL):
            self._look()
