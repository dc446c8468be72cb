"""Uploaded archives: unpacked into the scratch folder and nowhere else, or refused."""

import io
import stat
import zipfile
from pathlib import Path

import pytest

from softmerge_core.data.forms import Asked
from softmerge_core.data.importing import archives
from softmerge_core.data.importing.archives import unpacked
from softmerge_core.errors import DataError


def archive(tmp_path: Path, files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED, mode: int = 0) -> Path:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as packed:
        for name, content in files.items():
            member = zipfile.ZipInfo("x")
            member.filename = name  # as it is, which zipfile would tidy
            member.external_attr = mode << 16
            packed.writestr(member, content, method)
    (tmp_path / "mine.zip").write_bytes(made.getvalue())
    return tmp_path / "mine.zip"


def unpack(tmp_path: Path, path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return unpacked(path, Asked(tmp_path / "scratch", "mine.zip"))


def test_files_and_folders_come_out(tmp_path: Path) -> None:
    files = {"a/1.txt": b"one", "b/2.txt": b"two" * 1000, "__MACOSX/a/._1.txt": b"x", "a/.DS_Store": b"x"}
    folder = unpack(tmp_path, archive(tmp_path, files))
    found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == {"a/1.txt": b"one", "b/2.txt": b"two" * 1000}


def test_a_single_folder_is_gone_through_and_a_single_file_is_it(tmp_path: Path) -> None:
    assert unpack(tmp_path, archive(tmp_path, {"set/raw/a": b"1", "set/raw/b": b"2"})).name == "raw"
    one = tmp_path / "one"
    one.mkdir()
    assert unpack(one, archive(one, {"set/table.csv": b"1"})).name == "table.csv"


def test_what_is_no_archive_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1")
    assert unpack(tmp_path, tmp_path / "a.csv") == tmp_path / "a.csv"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "a\\..\\x", "C:/x", "d/" * 30 + "x", "n" * 1100])
def test_names_that_lead_out_are_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path, {"good": b"1", name: b"2"})
    with pytest.raises(DataError, match=r"^mine\.zip: .*refused"):
        unpack(tmp_path, path)
    assert {found.name for found in tmp_path.rglob("*") if found.is_file()} == {"mine.zip"}


def test_links_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is a link or a device: refused"):
        unpack(tmp_path, archive(tmp_path, {"a": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_ways_of_packing_are_refused(tmp_path: Path, method: int) -> None:
    with pytest.raises(DataError, match="pack the archive as usual"):
        unpack(tmp_path, archive(tmp_path, {"a": b"1"}, method))


def test_gigabytes_of_zeros_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_BYTES", 10_000)
    with pytest.raises(DataError, match=r"at most 10,000 bytes when unpacked, got 100,000; .*SOFTMERGE_DATA_BYTES"):
        unpack(tmp_path, archive(tmp_path, {"a": bytes(100_000)}))


def test_a_file_larger_than_the_archive_says_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a": bytes(100_000)})
    content = path.read_bytes().replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"mine\.zip"):
        unpack(tmp_path, path)


def test_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_FILES", 2)
    with pytest.raises(DataError, match="at most 2 files, got 3"):
        unpack(tmp_path, archive(tmp_path, {"a": b"", "b": b"", "c": b""}))


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"no archive"])
def test_what_is_none_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "mine.zip").write_bytes(content)
    with pytest.raises(DataError, match=r"^mine\.zip: expected an? "):
        unpack(tmp_path, tmp_path / "mine.zip")
