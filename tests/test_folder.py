"""The server's folder offers what lies in it by labels, and nothing else can be named."""

import os
from pathlib import Path

import pytest

from softmerge_core import folder as module
from softmerge_core.errors import NotFoundError
from softmerge_core.folder import file_offered, files_offered, server_folder


def every(name: str) -> bool:
    return True


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is offered, with a secret beside it."""
    (tmp_path / "offered" / "deep").mkdir(parents=True)
    for name in ("offered/a.pt", "offered/deep/b.pt", "offered/deep/notes.txt", "offered/.hidden.pt", "secret.pt"):
        (tmp_path / name).write_text(name)
    monkeypatch.setenv("SOFTMERGE_FOLDER", str(tmp_path / "offered"))
    return tmp_path / "offered"


def test_without_a_folder_nothing_is_offered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOFTMERGE_FOLDER", raising=False)
    for named in ("", str(tmp_path / "none"), str(tmp_path / "file")):
        (tmp_path / "file").touch()
        monkeypatch.setenv("SOFTMERGE_FOLDER", named)
        assert server_folder() is None
        assert files_offered(every) == []
        with pytest.raises(NotFoundError, match=r"'a\.pt': expected a file in the server's folder, found none"):
            file_offered("a.pt")


def test_files_are_offered_by_their_place_in_the_folder(place: Path) -> None:
    assert files_offered(every) == ["a.pt", "deep/b.pt", "deep/notes.txt"]
    assert files_offered(lambda name: name.endswith(".pt")) == ["a.pt", "deep/b.pt"]
    assert file_offered("deep/b.pt").read_text() == "offered/deep/b.pt"


@pytest.mark.parametrize(
    "label", ["../secret.pt", "deep/../../secret.pt", "/etc/passwd", "deep", "", ".", "none.pt", "a\0b", "a.pt/x", "~"]
)
def test_a_label_leads_nowhere_else(place: Path, label: str) -> None:
    with pytest.raises(NotFoundError):
        file_offered(label)


def test_links_that_lead_out_are_not_followed(place: Path) -> None:
    (place / "out.pt").symlink_to(place.parent / "secret.pt")
    (place / "elsewhere").symlink_to(place.parent, target_is_directory=True)
    (place / "round.pt").symlink_to(place / "round.pt")
    (place / "inside.pt").symlink_to(place / "deep" / "b.pt")
    assert files_offered(every) == ["a.pt", "deep/b.pt", "deep/notes.txt", "inside.pt"]
    for label in ("out.pt", "elsewhere/secret.pt", "round.pt"):
        with pytest.raises(NotFoundError):
            file_offered(label)


def test_a_folder_that_is_itself_a_link_is_offered(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place.parent / "link").symlink_to(place, target_is_directory=True)
    monkeypatch.setenv("SOFTMERGE_FOLDER", str(place.parent / "link"))
    assert "deep/b.pt" in files_offered(every)
    assert file_offered("a.pt").is_file()


def test_so_many_are_offered_and_so_deep(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deepest = place.joinpath(*"abcdefgh")
    deepest.mkdir(parents=True)
    (deepest / "x.pt").touch()
    assert "a/b/c/d/e/f/g/h/x.pt" not in files_offered(every)
    monkeypatch.setattr(module, "MOST_FILES", 2)
    assert len(files_offered(every)) == 2
    monkeypatch.setattr(module, "MOST_SEEN", 0)
    assert files_offered(every) == []


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_left_out(place: Path) -> None:
    (place / "deep").chmod(0)
    assert files_offered(every) == ["a.pt"]
    (place / "deep").chmod(0o700)
