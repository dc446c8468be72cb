"""A small real experiment for the tests of runs: it counts, with a seed, snapshots and every way to end.

Importing it registers it, in a test as in a worker that preloads this module.
"""

import json
import os
import random
import signal
import time
from typing import Any, Literal

from softmerge_core.errors import SettingsError, TrainingError
from softmerge_core.events import Loss, Notice, Progress
from softmerge_core.experiments import experiments
from softmerge_core.experiments.base import Context, Experiment, Spec


class CountingSpec(Spec):
    """``trouble`` comes at step ``steps // 2`` of the first attempt that gets there."""

    kind: Literal["counting"] = "counting"
    steps: int = 20
    pause: float = 0.0  # seconds a step takes
    seed: int = 0
    snapshot_every: int = 5
    trouble: Literal["", "refuse", "error", "crash", "kill", "memory", "disk"] = ""


def values(seed: int, steps: int) -> list[float]:
    """What the experiment reports as its losses."""
    generator = random.Random(seed)
    return [generator.random() for _ in range(steps)]


def run(spec: CountingSpec, context: Context) -> dict[str, Any]:
    """Emit a progress and a loss each step; the total is the result."""
    snapshot = json.loads(context.load_snapshot() or b'{"step": 0, "total": 0}')
    step, total = snapshot["step"], snapshot["total"]
    context.emit(Notice(step=0, text="counting"))
    losses = values(spec.seed, spec.steps)
    while step < spec.steps and not context.should_stop():
        total += losses[step]
        step += 1
        context.emit(Loss(step=step, series="count", task=losses[step - 1], total=total))
        context.emit(Progress(step=step, total=spec.steps))
        if step % spec.snapshot_every == 0:
            context.save_snapshot(json.dumps({"step": step, "total": total}).encode())
        if step == spec.steps // 2:
            _trouble(spec.trouble)
        time.sleep(spec.pause)
    return {"total": total, "step": step, "reason": "counted", "not_finite": float("nan")}


def _trouble(kind: str) -> None:
    if kind == "error":
        raise TrainingError("layer 'head': the loss is not finite at step 10")
    if kind == "crash":
        raise ZeroDivisionError("division by <b>zero</b>")
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "memory":
        bytearray(2**60)
    if kind == "disk":
        raise OSError(28, "No space left on device")


def check(spec: CountingSpec) -> None:
    """Refuse on demand."""
    if spec.trouble == "refuse":
        raise SettingsError("trouble: expected none, got refuse")


EXPERIMENT = Experiment("counting", "Counting", CountingSpec, __name__, check, CountingSpec, CountingSpec)
experiments()[EXPERIMENT.name] = EXPERIMENT
