import os
from pathlib import Path

import pytest

from softmerge_core.home import KEPT, TRASH, bring_back, discard, empty_trash, home, set_aside, write_atomic


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


def two_files() -> list[Path]:
    folder = home() / "data"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("a", "b"):
        (folder / name).write_text(name)
    return [folder / "a", folder / "b"]


def test_what_is_set_aside_comes_back_or_is_gone_for_good() -> None:
    files = two_files()
    ticket = set_aside(files)
    assert not any(path.exists() for path in files)
    bring_back(ticket)
    assert [path.read_text() for path in files] == ["a", "b"]
    discard(ticket := set_aside(files))
    with pytest.raises(FileNotFoundError):
        bring_back(ticket)
    assert list((home() / TRASH).iterdir()) == []


def test_all_is_set_aside_or_nothing() -> None:
    files = two_files()
    with pytest.raises(FileNotFoundError):
        set_aside([*files, home() / "data" / "none"])
    assert [path.read_text() for path in files] == ["a", "b"]
    assert list((home() / TRASH).iterdir()) == []


def test_after_a_day_it_is_deleted_by_itself() -> None:
    old, new = (set_aside([path]) for path in two_files())
    place = home() / TRASH / old
    os.utime(place, (place.stat().st_mtime - KEPT - 60,) * 2)
    empty_trash()
    assert [path.name for path in (home() / TRASH).iterdir()] == [new]
