"""Every test has a home folder of its own, so that none touches the user's runs and models."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")  # as in the workers; before torch, so that processes do not fight


@pytest.fixture(autouse=True)
def home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The isolated home, which does not exist yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv("SOFTMERGE_HOME", str(folder))
    return folder
