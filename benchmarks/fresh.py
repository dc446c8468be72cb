"""Measurements in a process of its own, whose memory nothing else has used."""

import contextlib
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import torch

T = TypeVar("T")


def fresh(function: Callable[..., T], *arguments: object) -> T:
    """Return what the function returns in a new process on one thread; raises what it raises.

    Raises BrokenProcessPool where the process died, as it does if the machine has no memory left.
    """
    with ProcessPoolExecutor(1, get_context("spawn"), torch.set_num_threads, (1,)) as pool:
        return pool.submit(function, *arguments).result()


class Peak:
    """The peak of this process's memory since this was made, in bytes over what it used then."""

    def __init__(self) -> None:
        with contextlib.suppress(OSError):  # elsewhere than on Linux the peak since the process began has to do
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak starts anew
        self.before = _peak()

    def bytes(self) -> int:
        """Return it so far."""
        return _peak() - self.before


def _peak() -> int:
    """The peak of this process's memory, in bytes."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
        return 1024 * next(int(line.split()[1]) for line in text.splitlines() if line.startswith("VmHWM"))
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
