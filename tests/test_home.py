import os
from pathlib import Path

import pytest

from softmerge_core.home import home, write_atomic


def test_home_is_the_folder_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTMERGE_HOME", str(tmp_path / "here"))
    assert home() == tmp_path / "here"
    assert not home().exists()


def test_home_expands_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SOFTMERGE_HOME", "~/soft")
    assert home() == tmp_path / "soft"


@pytest.mark.parametrize("value", [None, ""])
def test_home_falls_back_to_the_users_data_folder(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOFTMERGE_HOME")
    if value is not None:
        monkeypatch.setenv("SOFTMERGE_HOME", value)
    assert home().is_absolute()
    assert home().name == "softmerge"


@pytest.mark.parametrize("durable", [True, False])
def test_a_file_is_replaced_as_a_whole(tmp_path: Path, durable: bool) -> None:
    path = tmp_path / "a.json"
    for content in (b"first", b"", b"third\n"):
        write_atomic(path, content, durable=durable)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    path = tmp_path / "a.json"
    write_atomic(path, b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*((os, "fsync") if broken == "fsync" else (Path, "replace")), full)
    with pytest.raises(OSError, match="No space left"):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
