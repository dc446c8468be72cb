"""Uploaded ``.zip`` archives, unpacked into a scratch folder and nowhere else."""

import stat
import zipfile
from pathlib import Path, PurePosixPath

from softmerge_core.data.forms.base import Asked, typed
from softmerge_core.data.limits import HOW, MAX_BYTES
from softmerge_core.errors import DataError, short

MAX_FILES = 200_000
MAX_NAME = 1000  # letters of a path
MAX_DEPTH = 20
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack any amount at a time
CHUNK = 1 << 20


def unpacked(source: Path, asked: Asked) -> Path:
    """Return ``source`` as it is, or where it is a .zip, the folder in which its files lie; raises DataError.

    Names that lead out of the archive, links and more than a data file may hold are refused. Of an archive with a
    single folder, or a single file, that is returned.
    """
    if source.is_dir() or source.suffix.lower() != ".zip":
        return source
    folder = asked.scratch / "unpacked"
    folder.mkdir()
    asked.tell(f"Unpacking {asked.called}", None)
    with typed(asked.called, "a .zip archive"), zipfile.ZipFile(source) as archive:
        members = [member for member in archive.infolist() if not member.is_dir() and not _of_the_system(member)]
        _check(members, asked.called)
        for member in members:
            _unpack(archive, member, folder / member.filename, asked.called)
    return _inmost(folder)


def _of_the_system(member: zipfile.ZipInfo) -> bool:
    parts = PurePosixPath(member.filename).parts
    return "__MACOSX" in parts or bool(parts and parts[-1] in (".DS_Store", "Thumbs.db"))


def _check(members: list[zipfile.ZipInfo], called: str) -> None:
    if not members:
        raise DataError(f"{called}: expected an archive with files, got an empty one")
    if len(members) > MAX_FILES:
        raise DataError(f"{called}: expected at most {MAX_FILES:,} files, got {len(members):,}")
    total = sum(member.file_size for member in members)
    if total > MAX_BYTES:
        raise DataError(f"{called}: expected at most {MAX_BYTES:,} bytes when unpacked, got {total:,}; {HOW}")
    for member in members:
        name, parts = member.filename, PurePosixPath(member.filename).parts
        where = f"{called}: {short(name)!r}"
        if name.startswith("/") or ".." in parts or "\\" in name or ":" in name or "\0" in name:
            raise DataError(f"{where} points outside the archive: refused")
        if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
            raise DataError(f"{where} is a link or a device: refused")
        if len(name) > MAX_NAME or len(parts) > MAX_DEPTH:
            raise DataError(f"{where} lies too deep: refused")
        if member.compress_type not in PACKED:
            raise DataError(f"{where} is packed by method {member.compress_type}: pack the archive as usual (deflate)")


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, called: str) -> None:
    """Write one file; not one byte more than the archive lists is taken."""
    target.parent.mkdir(parents=True, exist_ok=True)
    left = member.file_size
    with archive.open(member) as given, target.open("xb") as file:
        while piece := given.read(min(CHUNK, left + 1)):
            left -= len(piece)
            if left < 0:
                raise DataError(f"{called}: {short(member.filename)!r} holds more than the archive says")
            file.write(piece)


def _inmost(folder: Path) -> Path:
    """Return the folder below which something is beside something else; a single file itself."""
    for _ in range(MAX_DEPTH):
        inside = list(folder.iterdir())
        if len(inside) != 1:
            return folder
        if inside[0].is_file():
            return inside[0]
        folder = inside[0]
    return folder
