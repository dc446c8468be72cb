"""Commands of the command line that a page gives in a process of its own, because they load torch."""

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from softmerge_core.errors import CheckpointError, RunError

ROOT = Path(__file__).parents[3]
LIMIT = 120  # seconds; a small model takes about three
REFUSED = "error: "
BROKEN = "error: unexpected "
AT_ONCE = BoundedSemaphore(2)  # of all sessions together: each such process loads a file, and most of them torch
PATIENCE = 20.0  # seconds


@contextlib.contextmanager
def one_of_few() -> Iterator[None]:
    """Work on a file while no more than one other is worked on; raises RunError where that takes long to come."""
    if not AT_ONCE.acquire(timeout=PATIENCE):
        raise RunError("the server is busy with other files: try again in a moment")
    try:
        yield
    finally:
        AT_ONCE.release()


def zoo_command(*arguments: str, failure: str) -> dict[str, Any]:
    """Run ``zoo`` with these arguments, as ``engine_command`` does."""
    return engine_command("zoo", *arguments, failure=failure)


def engine_command(*arguments: str, failure: str) -> dict[str, Any]:
    """Run a command of the command line and return the object that it prints.

    Raises CheckpointError: with the words of the command where it refuses, else with those of ``failure``; and
    RunError while the server is busy with others.
    """
    command = [sys.executable, "-m", "softmerge_core", *arguments]
    try:
        with one_of_few():
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False)
    except (subprocess.TimeoutExpired, ValueError) as error:  # a ValueError: no program takes a NUL in an argument
        raise CheckpointError(failure) from error
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2]
        understood = said.startswith(REFUSED) and not said.startswith(BROKEN)
        raise CheckpointError(said.removeprefix(REFUSED) if understood else failure)
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise CheckpointError(failure) from error
    return answer
