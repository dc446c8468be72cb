"""Weights files read in this process instead of one of its own, which takes seconds to load torch.

That the process reads, limits itself and may die is tested in ``tests/zoo/test_intake.py``, and by the commands that
keep a file (``tests/test_main.py``); what it says of a file is the same in both.
"""

import contextlib
import io
import sys

import pytest

from softmerge_core.zoo import intake, intake_process


@pytest.fixture
def reading_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``intake`` ask this process, which sets itself no limits."""
    monkeypatch.setattr(intake_process, "limit_process", lambda memory, seconds: None)
    monkeypatch.setattr(intake, "_answer", _answered_here)


def _answered_here(request: str, seconds: int) -> tuple[str, str]:
    said, complaint, asked = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.StringIO(f"{request}\n")
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complaint):
            intake_process.main()
    finally:
        sys.stdin = asked
    return said.getvalue(), complaint.getvalue()
