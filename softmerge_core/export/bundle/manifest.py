"""What lies in a bundle and what it says of itself: names of files, limits, and the manifest. Loads no torch."""

import hashlib
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from softmerge_core.errors import BundleError, short
from softmerge_core.runs import files
from softmerge_core.runs.labels import LABELS
from softmerge_core.settings import Frozen

FORMAT = 1
MANIFEST, SCRIPT, README = "bundle.json", "run.py", "README.txt"
RUN, MODELS, DATA, SOURCES, TABLES, FIGURES = "run/", "models/", "data/", "sources/", "tables/", "figures/"
SMALL = (files.MANIFEST, files.SPEC, files.RESULT, files.END, LABELS)  # each has at most files.MOST_BYTES
LARGEST = 200 * 2**20  # bytes of one file; a larger one is left out and named
TOGETHER = 380 * 2**20  # bytes of all; a page takes uploads of 400 MB
MOST_BYTES = 2**30  # of all files together, unpacked
MOST_FILES = 2000
MODEL_INFO, MODEL_WEIGHTS = "info.json", "weights.safetensors"
_NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}"
# Every name that a bundle may hold: none leads out of a folder, and none is read that is not known.
MEMBER = re.compile(
    rf"run/({'|'.join(map(re.escape, (*SMALL, files.EVENTS)))})"
    rf"|run/weights/[A-Za-z0-9_-]{{1,64}}\.safetensors"
    rf"|models/[A-Za-z0-9][A-Za-z0-9_-]{{0,63}}/({re.escape(MODEL_INFO)}|{re.escape(MODEL_WEIGHTS)})"
    rf"|data/{_NAME}\.npz|sources/{_NAME}\.safetensors|tables/{_NAME}\.csv|figures/{_NAME}\.(svg|png|html)"
    rf"|{re.escape(SCRIPT)}|{re.escape(README)}",
    re.ASCII,
)
CONTENT = (files.SPEC, files.EVENTS, files.RESULT, files.END)  # what makes a run the run that it is, with its weights


Text = Annotated[str, Field(max_length=1000)]  # as pages show it, of whoever made the bundle


class Entry(Frozen):
    """A file of a bundle: its ``size`` in bytes and SHA-256 (hex)."""

    size: int
    sha256: str


class LeftOut(Frozen):
    """A file that a run used or left, which is not in its bundle, and why."""

    file: Text
    why: Text


class Manifest(Frozen):
    """What a bundle says of itself.

    ``softmerge``: the version that made it; ``versions``: of python, torch, torchvision and numpy, there; ``run``: the
    run's id, there; ``created`` and ``exported``: ISO 8601, UTC; ``seeds``: by the place in the spec; ``digest``: of
    what the run is (``digest``); ``files``: by name, all but the manifest.
    """

    format: int
    softmerge: Text
    versions: dict[Text, Text]
    platform: Text
    kind: Text
    name: Text
    run: Text
    created: Text
    exported: Text
    seeds: dict[Text, Any]
    digest: Text
    left_out: tuple[LeftOut, ...] = Field((), max_length=MOST_FILES)
    files: dict[str, Entry]


def digest(entries: dict[str, Entry]) -> str:
    """SHA-256 (hex) over the names and hashes of what a run is: its spec, log, result, end and weights."""
    told = hashlib.sha256()
    for name, entry in sorted(entries.items()):
        inside = name.removeprefix(RUN)
        if name.startswith(RUN) and (inside in CONTENT or inside.startswith(f"{files.WEIGHTS}/")):
            told.update(f"{name}\0{entry.sha256}\0".encode())
    return told.hexdigest()


def entry_of(content: bytes | Path) -> Entry:
    """The size and hash of bytes, or of a file, which is read piece by piece."""
    if isinstance(content, bytes):
        return Entry(size=len(content), sha256=hashlib.sha256(content).hexdigest())
    with content.open("rb") as file:
        return Entry(size=content.stat().st_size, sha256=hashlib.file_digest(file, "sha256").hexdigest())


def parse_manifest(values: Any, called: str) -> Manifest:
    """The manifest in plain values; raises BundleError, also for a bundle of a newer version."""
    told = values.get("format") if isinstance(values, dict) else None
    if not isinstance(told, int) or isinstance(told, bool) or told < 1:
        raise BundleError(f"{called}: {MANIFEST} is damaged: expected a format, got {short(told)}")
    if told > FORMAT:
        made = short(values.get("softmerge", "unknown"), 40)
        raise BundleError(
            f"{called}: expected a bundle of format {FORMAT} at most, got format {told}, of version {made}: it takes a "
            "newer version of this project"
        )
    try:
        manifest = Manifest.model_validate(values)
    except ValueError as error:
        raise BundleError(f"{called}: {MANIFEST} is damaged: it does not hold what a bundle says of itself") from error
    _check_entries(manifest, called)
    return manifest


def _check_entries(manifest: Manifest, called: str) -> None:
    if len(manifest.files) > MOST_FILES:
        raise BundleError(f"{called}: expected at most {MOST_FILES:,} files, got {len(manifest.files):,}")
    if len({name.casefold() for name in manifest.files}) != len(manifest.files):
        raise BundleError(f"{called}: two of its files have one name")
    for name, entry in manifest.files.items():
        if not MEMBER.fullmatch(name):
            raise BundleError(f"{called}: {short(name)!r} is no file of a bundle: refused")
        most = files.MOST_BYTES if name.removeprefix(RUN) in SMALL else MOST_BYTES
        if not 0 <= entry.size <= most:
            raise BundleError(f"{called}: {short(name)!r}: expected at most {most:,} bytes, got {entry.size:,}")
    total = sum(entry.size for entry in manifest.files.values())
    if total > MOST_BYTES:
        raise BundleError(f"{called}: expected at most {MOST_BYTES:,} bytes when unpacked, got {total:,}")
    needed = [f"{RUN}{name}" for name in (files.MANIFEST, files.SPEC, files.END)]
    if missing := next((name for name in needed if name not in manifest.files), None):
        raise BundleError(f"{called}: expected {missing} among its files, found none")
    if digest(manifest.files) != manifest.digest:
        raise BundleError(f"{called}: {MANIFEST} is damaged: its digest is not that of the files it lists")
