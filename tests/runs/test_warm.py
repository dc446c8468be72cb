"""The warm-up of a process: it gets everything ready, and says what it could not."""

import logging
import os
import platform
import subprocess
import sys

import pytest
import torch

from softmerge_core.runs import warm


def test_everything_a_warm_up_does_works(caplog: pytest.LogCaptureFixture) -> None:
    warm.warm_up()
    assert torch.get_num_threads() == 1
    assert caplog.records == []


def test_a_step_that_fails_is_logged_with_its_traceback_and_the_others_are_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done = []

    def broken() -> None:
        raise ModuleNotFoundError("No module named 'mnist2d'")

    monkeypatch.setattr(warm, "STEPS", (broken, lambda: done.append("after")))
    warm.dask_setup(object())
    assert done == ["after"]
    assert [(record.name, record.levelno) for record in caplog.records] == [(warm.__name__, logging.WARNING)]
    assert "failed in broken" in caplog.text
    assert "ModuleNotFoundError: No module named 'mnist2d'" in caplog.text


FAULTS = """
import resource
from softmerge_core.runs.warm import keep_freed_memory
keep_freed_memory()
bytearray(2**20)
begun = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(100):
    bytearray(2**20)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - begun)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_freed_memory_is_used_again_where_the_worker_was_started_to_give_it_back() -> None:
    environment = {**os.environ, "MALLOC_TRIM_THRESHOLD_": "65536"}  # as Dask's nanny does
    told = subprocess.run(
        [sys.executable, "-c", FAULTS], env=environment, check=True, capture_output=True, text=True
    ).stdout
    assert int(told) < 256  # of 100 blocks of 256 pages each
