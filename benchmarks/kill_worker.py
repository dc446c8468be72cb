"""Kills workers (SIGKILL) at random moments of real merges: ``python -m benchmarks.kill_worker 100``.

Each time, no acknowledged step may be lost, the run must stay readable, and it must resume and end with the same
weights as an undisturbed run. A run whose worker died before it had begun, as when it is given to a worker that was
killed a moment ago, must begin on another one by itself; these are counted. Prints a table, and exits with code 1 if
any of this fails, or if something is waited for in vain.
"""

import logging
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from softmerge_core.errors import SoftMergeError
from softmerge_core.events import Progress
from softmerge_core.experiments.merge.spec import MergeSpec, example
from softmerge_core.runs import Runner, RunStore, files
from softmerge_core.settings import SoftMergeSettings

SETTINGS = SoftMergeSettings(granularity="layer", steps=300, evaluate_every=10)


def wait(condition: Callable[[], bool], seconds: float = 600) -> None:
    """Wait until ``condition`` holds; raises TimeoutError."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.005)


def acknowledged(store: RunStore, run_id: str) -> list[int]:
    """Return every step that the run's log reports."""
    view = store.read(run_id)
    if view.damaged:
        raise ValueError(f"{view.damaged} damaged lines")
    return [event.step for event in view.events if isinstance(event, Progress)]


def undisturbed(runner: Runner, spec: MergeSpec) -> tuple[float, bytes, list[int]]:
    """Return the (seconds, merged weights, steps) of a run that nobody kills."""
    begun = time.monotonic()
    run_id = runner.submit(spec)
    wait(lambda: runner.store.status(run_id).status == "finished")
    weights = runner.store.weights(run_id, "merged").read_bytes()
    return time.monotonic() - begun, weights, acknowledged(runner.store, run_id)


def trial(runner: Runner, spec: MergeSpec, delay: float, weights: bytes, steps: list[int]) -> str:
    """Do one run that is killed after ``delay`` seconds of writing; return the problem, or "" if all is well."""
    store = runner.store
    run_id = runner.submit(spec)
    begun = store.folder(run_id) / files.BEGUN
    wait(lambda: begun.exists() or store.status(run_id).status == "interrupted")
    if not begun.exists():
        return "interrupted before it began"
    time.sleep(delay)
    before = acknowledged(store, run_id)
    os.kill((files.read_json(begun) or {})["pid"], signal.SIGKILL)
    wait(lambda: store.status(run_id).status in ("interrupted", "finished"))
    if acknowledged(store, run_id)[: len(before)] != before:
        return "an acknowledged step was lost"
    if store.status(run_id).status == "interrupted":
        runner.resume(run_id)
        wait(lambda: store.status(run_id).status == "finished")
    told = acknowledged(store, run_id)
    if told != sorted(told) or told[-1] != steps[-1]:  # the steps that are reported depend on timing
        return "steps go back, or not to the end"
    if store.weights(run_id, "merged").read_bytes() != weights:
        return "the weights differ from an undisturbed run's"
    return ""


class Elsewhere(logging.Handler):
    """Counts the runs that another worker took because theirs died before they began."""

    count = 0

    def emit(self, record: logging.LogRecord) -> None:
        """Look at one record of the runner."""
        self.count += "before it began" in record.getMessage()


def attempt(runner: Runner, spec: MergeSpec, delay: float, weights: bytes, steps: list[int]) -> str:
    """Do one trial; what is waited for in vain is a problem like any other."""
    try:
        return trial(runner, spec, delay, weights, steps)
    except TimeoutError:
        return "waited in vain"
    except (SoftMergeError, ValueError) as error:
        return str(error)


def main(count: int) -> int:
    """Do ``count`` trials and return the exit code."""
    elsewhere = Elsewhere()
    logging.getLogger("softmerge_core.runs.runner").addHandler(elsewhere)
    logging.getLogger("softmerge_core.runs.runner").setLevel(logging.INFO)
    spec = example().model_copy(update={"settings": SETTINGS})
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(RunStore(Path(folder)))
        wait(runner.ready)
        seconds, weights, steps = undisturbed(runner, spec)
        generator, problems = random.Random(0), 0
        print(f"undisturbed: {seconds:.2f} s, {len(steps)} steps told")
        for number in range(1, count + 1):
            delay = generator.random() * seconds
            problem = attempt(runner, spec, delay, weights, steps)
            problems += bool(problem)
            print(f"{number:4d}  killed after {delay:5.2f} s  {problem or 'ok'}", flush=True)
        print(f"{count - problems} of {count} went on without loss; {elsewhere.count} begun by another worker")
        runner.close()
    return int(problems > 0)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
