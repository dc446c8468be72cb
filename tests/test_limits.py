"""A process with limits gets no more memory and time than it was given, and who started it lives on."""

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from softmerge_core.limits import BASE, memory_for, seconds_for

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limits")


def limited(code: str, memory: int = 2**28, seconds: int = 30) -> subprocess.CompletedProcess[str]:
    """Run Python in a process that limits itself first."""
    first = f"from softmerge_core.limits import limit_process\nlimit_process({memory}, {seconds})\n"
    return subprocess.run([sys.executable, "-c", first + code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_more_memory_than_that_is_an_error() -> None:
    assert limited("x = bytearray(2**27); print('fine')").stdout == "fine\n"
    assert "MemoryError" in limited("x = bytearray(2**29)").stderr


def test_more_time_than_that_ends_it() -> None:
    assert limited("while True: pass", seconds=1).returncode < 0


def test_limits_are_only_ever_lowered() -> None:
    assert "MemoryError" in limited(f"limit_process({2**40}, 30); x = bytearray(2**29)").stderr


def test_larger_files_may_take_more_up_to_what_the_machine_has() -> None:
    assert memory_for(0) <= BASE
    assert memory_for(0) < memory_for(2**27) < psutil.virtual_memory().total
    assert memory_for(2**50) < psutil.virtual_memory().total
    assert seconds_for(2**30) > seconds_for(0) > 0
