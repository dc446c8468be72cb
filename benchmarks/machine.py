"""When, with what and on which machine something was measured, and whether it was alone there."""

import os
import platform
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ALWAYS = ("torch", "torchvision", "numpy")
BUSY = 0.1  # cores of other work that are worth a word


class Stopwatch:
    """Tells how long something took, and how many cores other work kept busy meanwhile."""

    def __init__(self) -> None:
        self.begun, self.date = time.monotonic(), datetime.now(UTC)
        self._own, self._all = _own_seconds(), _all_seconds()

    def stamp(self, device: str, peers: Sequence[str] = ()) -> str:
        """Return a paragraph: date, duration, versions, machine."""
        seconds = time.monotonic() - self.begun
        took = f"{seconds / 60:.0f} minutes" if seconds >= 90 else f"{seconds:.0f} s"
        told = f"Measured {self.date:%Y-%m-%d %H:%M} UTC in {took}, with {versions(peers)}, on {shape(device)}."
        others = ((_all_seconds() - self._all) - (_own_seconds() - self._own)) / max(seconds, 1e-9)
        return told if others < BUSY else f"{told} **Other work kept {others:.1f} cores busy meanwhile.**"


def versions(peers: Sequence[str] = ()) -> str:
    """Return the versions of Python, of what measurements depend on, and of the peers, or that they are not there."""
    found = {name: _version(name) for name in (*ALWAYS, *peers)}
    there = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    absent = ", ".join(name for name, number in found.items() if not number)
    return f"Python {platform.python_version()}, {there}" + (f" (not installed: {absent})" if absent else "")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def shape(device: str) -> str:
    """Return the machine's processor, memory and system, and the device if that is another."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    own = f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()}"
    if device == "cpu":
        return own
    import torch

    found = torch.cuda.get_device_properties(device)
    return f"{found.name}, {found.total_memory / 2**30:.0f} GiB, in a machine of {own}"


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        text = ""
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _own_seconds() -> float:
    """Processor time of this process and of those it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _all_seconds() -> float:
    """Processor time of all processes of the machine; NaN where the system does not tell."""
    try:
        first = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()
    except OSError:
        return float("nan")
    user, nice, system = (int(number) for number in first[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")
