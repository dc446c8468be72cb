"""Commands of the command line that a page gives in a process of its own, because they load torch."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from softmerge_core.errors import CheckpointError

ROOT = Path(__file__).parents[3]
LIMIT = 120  # seconds; a small model takes about three
REFUSED = "error: "
BROKEN = "error: unexpected "


def zoo_command(*arguments: str, failure: str) -> dict[str, Any]:
    """Run ``zoo`` with these arguments and return the object that it prints.

    Raises CheckpointError: with the words of the command where it refuses, else with those of ``failure``.
    """
    command = [sys.executable, "-m", "softmerge_core", "zoo", *arguments]
    try:
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
