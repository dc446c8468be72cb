"""What several tests of runs begin with; files whose runner needs workers make one of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from softmerge_core.runs import Runner, RunStore


@pytest.fixture
def runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runner]:
    """A runner without workers."""
    monkeypatch.setattr(Runner, "_connect", lambda *_: None)
    monkeypatch.setattr(Runner, "_send", lambda *_: None)
    made = Runner(RunStore(tmp_path / "runs"))
    yield made
    made.close()
