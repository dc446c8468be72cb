"""A stranger's bundle, checked and unpacked into a folder, in a process that has limits. Loads no torch.

Only files whose names a bundle may have are written, each with the size and the hash that the manifest tells.
"""

import hashlib
import json
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from softmerge_core.checkpoints.header import floats_in
from softmerge_core.errors import BundleError, SoftMergeError, short
from softmerge_core.export.bundle import manifest as known
from softmerge_core.export.bundle.manifest import Manifest, parse_manifest
from softmerge_core.runs import files
from softmerge_core.runs.status import ENDED
from softmerge_core.runs.store import described, read_run

MANIFEST_BYTES = 2 * 2**20
CHUNK = 1 << 20
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack any amount at a time
NO_BUNDLE = "expected a bundle, as the Bundle button of a run makes it"


def unpack(archive: Path, called: str, folder: Path) -> Manifest:
    """Write the files of the bundle ``archive`` into ``folder``, which is empty, and return its manifest.

    ``called``: what messages call it. Raises BundleError for whatever is no sound bundle; MemoryError stays one.
    """
    with _typed(called), zipfile.ZipFile(archive) as opened:
        members = _members(opened, called)
        manifest = parse_manifest(_json(_content(opened, members, called)), called)
        _same_files(members, manifest, called)
        for name, entry in manifest.files.items():
            _unpack(opened, members[name], folder / name, entry, f"{called}: {short(name)!r}")
        _check_run(folder, manifest, called)
    return manifest


def read_folder(folder: Path, called: str) -> Manifest:
    """The manifest of a bundle that lies unpacked in ``folder``; raises BundleError where a file is another one."""
    with _typed(called):
        path = folder / known.MANIFEST
        if path.stat().st_size > MANIFEST_BYTES:
            raise BundleError(f"{called}: {known.MANIFEST} is too large")
        manifest = parse_manifest(_json(path.read_bytes()), called)
        for name, entry in manifest.files.items():
            if name.startswith((known.RUN, known.MODELS, known.DATA, known.SOURCES)):
                _compare(folder / name, entry, f"{called}: {short(name)!r}")
    return manifest


@contextmanager
def _typed(called: str) -> Iterator[None]:
    """Turn whatever reading raises into a BundleError that names the file."""
    try:
        yield
    except (BundleError, MemoryError):
        raise
    except SoftMergeError as error:
        raise BundleError(f"{called}: {error}") from error
    except Exception as error:  # readers of archives raise over a dozen types
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise BundleError(f"{called}: {NO_BUNDLE}, got: {short(reason or type(error).__name__, 200)}") from error


def _members(opened: zipfile.ZipFile, called: str) -> dict[str, zipfile.ZipInfo]:
    """The files of an archive by their names; a folder that holds all of them is left out of these."""
    found = [member for member in opened.infolist() if not member.is_dir() and not _of_the_system(member.filename)]
    if len(found) > known.MOST_FILES:
        raise BundleError(f"{called}: expected at most {known.MOST_FILES:,} files, got {len(found):,}")
    prefix = _prefix([member.filename for member in found])
    members = {member.filename.removeprefix(prefix): member for member in found}
    if len({name.casefold() for name in members}) != len(found):
        raise BundleError(f"{called}: two of its files have one name")
    if known.MANIFEST not in members:
        raise BundleError(f"{called}: {NO_BUNDLE}, found no {known.MANIFEST} in it")
    for name, member in members.items():
        _check_member(name, member, called)
    return members


def _of_the_system(name: str) -> bool:
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or bool(parts and parts[-1] in (".DS_Store", "Thumbs.db"))


def _prefix(names: list[str]) -> str:
    """The folder, with its slash, in which a bundle lies that was unpacked and packed again by hand; else ""."""
    heads = {name.partition("/")[0] for name in names}
    head = f"{heads.pop()}/" if len(heads) == 1 else ""
    return head if f"{head}{known.MANIFEST}" in names else ""


def _check_member(name: str, member: zipfile.ZipInfo, called: str) -> None:
    where = f"{called}: {short(name)!r}"
    if name != known.MANIFEST and not known.MEMBER.fullmatch(name):
        raise BundleError(f"{where} is no file of a bundle: refused")
    if stat.S_IFMT(member.external_attr >> 16) not in (0, stat.S_IFREG):
        raise BundleError(f"{where} is a link or a device: refused")
    if member.compress_type not in PACKED:
        raise BundleError(f"{where} is packed by method {member.compress_type}: expected stored or deflated")
    if member.flag_bits & 1:
        raise BundleError(f"{where} is encrypted: expected a bundle without a password")


def _content(opened: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], called: str) -> bytes:
    with opened.open(members[known.MANIFEST]) as file:
        content = file.read(MANIFEST_BYTES + 1)
    if len(content) > MANIFEST_BYTES:
        raise BundleError(f"{called}: {known.MANIFEST}: expected at most {MANIFEST_BYTES:,} bytes, got more")
    return content


def _json(content: bytes) -> object:
    return json.loads(content)


def _same_files(members: dict[str, zipfile.ZipInfo], manifest: Manifest, called: str) -> None:
    there = set(members) - {known.MANIFEST}
    if missing := sorted(set(manifest.files) - there):
        raise BundleError(f"{called}: {short(missing[0])!r} is missing, which {known.MANIFEST} lists")
    if more := sorted(there - set(manifest.files)):
        raise BundleError(f"{called}: {short(more[0])!r} is not listed in {known.MANIFEST}: refused")


def _unpack(opened: zipfile.ZipFile, member: zipfile.ZipInfo, target: Path, entry: known.Entry, where: str) -> None:
    """Write one file; not one byte more than the manifest tells is taken."""
    target.parent.mkdir(parents=True, exist_ok=True)
    left, told = entry.size, hashlib.sha256()
    with opened.open(member) as given, target.open("xb") as file:
        while piece := given.read(min(CHUNK, left + 1)):
            left -= len(piece)
            if left < 0:
                raise BundleError(f"{where}: expected {entry.size:,} bytes, got more")
            told.update(piece)
            file.write(piece)
    if left:
        raise BundleError(f"{where}: expected {entry.size:,} bytes, got {entry.size - left:,}")
    _compare_hash(told.hexdigest(), entry, where)


def _compare(path: Path, entry: known.Entry, where: str) -> None:
    found = known.entry_of(path)
    if found.size != entry.size:
        raise BundleError(f"{where}: expected {entry.size:,} bytes, got {found.size:,}")
    _compare_hash(found.sha256, entry, where)


def _compare_hash(found: str, entry: known.Entry, where: str) -> None:
    if found != entry.sha256:
        raise BundleError(f"{where} is damaged or was changed: expected SHA-256 {entry.sha256[:12]}, got {found[:12]}")


def _check_run(folder: Path, manifest: Manifest, called: str) -> None:
    """Raise BundleError unless the run in the bundle can be read, as one that has ended."""
    run = folder / known.RUN
    spec = described(run)[1]
    view = read_run(run, run.name, 2**62)
    if view.status not in ENDED or spec.kind != manifest.kind:
        raise BundleError(f"{called}: expected a {short(manifest.kind)} that has ended, got {spec.kind}: {view.status}")
    if view.harm:
        raise BundleError(f"{called}: {view.harm}")
    for name in manifest.files:
        if name.endswith(".safetensors"):
            floats_in(folder / name)  # its header is checked; what it holds, when it is used
        elif name.endswith(f"/{known.MODEL_INFO}") and manifest.files[name].size > files.MOST_BYTES:
            raise BundleError(f"{called}: {short(name)!r} is too large")
