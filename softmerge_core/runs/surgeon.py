"""The server's end of the process that holds merges open for surgery, one for all sessions. Loads no torch."""

import atexit
import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from softmerge_core.errors import RunError, SettingsError
from softmerge_core.merging.forced import Forced

ROOT = Path(__file__).parents[2]
PROCESS = "softmerge_core.runs.surgery_process"
PATIENCE = 20.0  # seconds that a question waits for those before it: one takes hundredths of a second, opening more
LIMIT = 120.0  # seconds that an answer may take; a deep network is opened in about ten


class Surgeon:
    """Asks the process of a ``module``, which is started by the first question and again whenever it has ended."""

    def __init__(self, limit: float = LIMIT, patience: float = PATIENCE, module: str = PROCESS) -> None:
        self.limit, self.patience, self.module = limit, patience, module
        self._process: subprocess.Popen[str] | None = None
        self._turn = threading.Lock()
        self._lane = ThreadPoolExecutor(1, thread_name_prefix="surgeon")
        atexit.register(self.close)

    def opened(self, folder: Path) -> dict[str, Any]:
        """What a page needs to know of a run once: its gates as they were learned, and the networks beside them.

        Raises what ``OpenedRun`` raises as a RunError, and RunError where the process is busy for too long or dies.
        """
        return self._ask({"what": "open", "folder": str(folder)})

    def forced(self, folder: Path, forced: Sequence[Forced]) -> dict[str, Any]:
        """The "scores" of the network with gates forced, and the "mark" of the state of the run; raises the same."""
        return self._ask({"what": "force", "folder": str(folder), "forced": [each.model_dump() for each in forced]})

    def start(self, folder: Path) -> dict[str, Any]:
        """What ``continued`` needs of the gates of a run; raises the same."""
        return self._ask({"what": "start", "folder": str(folder)})

    def close(self) -> None:
        """End the process; calling it twice is allowed."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        if not self._turn.acquire(timeout=self.patience):
            raise RunError("others are being answered just now: try again in a moment")
        try:
            line = self._lane.submit(self._talk, json.dumps(question)).result(timeout=self.limit)
        except TimeoutError as error:
            self.close()
            said = f"no answer within {self.limit:.0f} seconds: this network is too large to change by hand"
            raise RunError(said) from error
        finally:
            self._turn.release()
        found = json.loads(line)
        if "error" in found:
            raise SettingsError(str(found["error"]))
        answer: dict[str, Any] = found["answer"]
        return answer

    def _talk(self, question: str) -> str:
        """Write a question and read its answer; a process that has ended before is started again, once."""
        for _ in range(2):
            process = self._running()
            with contextlib.suppress(OSError, ValueError):  # it has just ended
                print(question, file=process.stdin, flush=True)
                if process.stdout and (line := process.stdout.readline()):
                    return line
            if process.wait() != 0:  # it was killed: by whoever has waited long enough, or for its memory
                break
        raise RunError("the process that holds this run open has died: try again")

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None or self._process.poll() is not None:
            self.close()
            self._process = subprocess.Popen(
                [sys.executable, "-m", self.module],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                encoding="utf-8",
            )
        return self._process
