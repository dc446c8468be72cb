"""What the C library does with freed memory after it was told how."""

import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")

FAULTS = """
import resource
from softmerge_core.allocator import keep_freed_memory
keep_freed_memory()
bytearray(2**20)
begun = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    bytearray(2**20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - begun)
"""
ARENAS = """
import sys, threading
from softmerge_core.allocator import give_back_freed_memory
if sys.argv[1] == "one":
    give_back_freed_memory()
everyone = threading.Barrier(6)
def hold():
    kept = [bytes(1000) for _ in range(100)]
    everyone.wait()
threads = [threading.Thread(target=hold) for _ in range(6)]
for thread in threads: thread.start()
for thread in threads: thread.join()
with open("/proc/self/maps") as maps:  # an arena of a thread begins at a multiple of 64 MB
    places = [line.split()[0].split("-")[0] for line in maps if line.split()[1].startswith("rw")]
print(sum(int(place, 16) % 2**26 == 0 for place in places))
"""


GARBAGE = """
import gc, sys
from softmerge_core.allocator import set_aside_what_lasts
lasting = [[number] for number in range(1_000_000)]
gc.collect()
if sys.argv[1] == "aside":
    set_aside_what_lasts()
class Circle:
    left = most = 0
    def __init__(self):
        self.own = self
        Circle.left += 1
        Circle.most = max(Circle.most, Circle.left)
    def __del__(self):
        Circle.left -= 1
waiting = []
for _ in range(6000):
    waiting = (waiting + [[Circle() for _ in range(100)]])[-150:]  # old enough to be looked at seldom
print(Circle.most)
"""


def told(program: str, *arguments: str, **environment: str) -> int:
    """The number that a program prints in a process of its own."""
    command = [sys.executable, "-c", program, *arguments]
    variables = {**os.environ, **environment}
    return int(subprocess.run(command, env=variables, check=True, capture_output=True, text=True).stdout)


def test_freed_memory_is_used_again_where_the_worker_was_started_to_give_it_back() -> None:
    assert told(FAULTS, MALLOC_TRIM_THRESHOLD_="65536") < 256  # as Dask's nanny does; of 100 blocks of 256 pages each


def test_all_threads_share_one_arena() -> None:
    assert told(ARENAS, "one") == 0
    assert told(ARENAS, "many") >= 4, "the control: without it threads have arenas of their own"


def test_circles_are_let_go_earlier_where_what_lasts_is_set_aside() -> None:
    assert 2 * told(GARBAGE, "aside") < told(GARBAGE, "not"), "the control looks only once a quarter has come"
