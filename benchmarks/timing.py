"""Times of several things, taken in turn in one process, so that whatever slows the machine slows all of them."""

import time
from collections.abc import Callable, Mapping

import torch

Step = Callable[[], object]


def in_turn(steps: Mapping[str, Step], turns: int, device: str = "cpu", warm: int = 2) -> dict[str, list[float]]:
    """Return the seconds of each step in each of ``turns`` turns; ``warm`` turns before are not counted.

    On a GPU a step has ended when all its work there has.
    """
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(warm + turns):
        for name, step in steps.items():
            _wait(device)
            begun = time.perf_counter()
            step()
            _wait(device)
            if turn >= warm:
                times[name].append(time.perf_counter() - begun)
    return times


def _wait(device: str) -> None:
    if device != "cpu":
        torch.cuda.synchronize(device)
