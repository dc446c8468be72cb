"""Data sets as their authors publish them, read and downloaded by torchvision's own classes.

The files are copied into a scratch folder first, unpacked where they are packed: so they lie as torchvision expects
them, wherever they come from, and cannot change between torchvision's look at their checksum and its reading.
"""

import gzip
import os
import re
import shutil
import zlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from softmerge_core.data.forms.base import Asked, Part, typed
from softmerge_core.data.limits import HOW, MAX_BYTES
from softmerge_core.errors import DataError, short

MIRROR = "SOFTMERGE_MIRROR"  # an address with the original files, instead of their authors'
PACKED = ".gz"
CHUNK = 1 << 20


def dataset_class(name: str) -> Any:
    """Return torchvision's class of this name."""
    import torchvision.datasets

    return getattr(torchvision.datasets, name)


def mirrored(cls: Any, addresses: Callable[[str], dict[str, Any]]) -> Any:
    """Return ``cls``, or where a mirror is named, a twin of it with the attributes ``addresses(mirror)``."""
    mirror = os.environ.get(MIRROR, "")
    return type(cls.__name__, (cls,), addresses(mirror.rstrip("/") + "/")) if mirror else cls


def check_sums(cls: Any, sums: Mapping[str, Any]) -> None:
    """Raise DataError where a file's MD5 is none: torchvision takes a missing one as passed and reads anything."""
    for name, md5 in sums.items():
        if not re.fullmatch("[0-9a-f]{32}", str(md5)):
            raise DataError(f"{cls.__name__}: torchvision has no checksum for {name}, without which it is not opened")


def opened(cls: Any, root: Path, asked: Asked, **options: Any) -> Any:
    """Return torchvision's data set of what lies in ``root``; raises DataError. Nothing is downloaded."""
    with typed(asked.called, f"the original files of {cls.__name__}"):
        return cls(root=str(root), download=False, **options)


def gather(source: Path, folders: Sequence[str], files: Sequence[str], target: Path, asked: Asked, title: str) -> None:
    """Put copies of ``files`` into ``target``, unpacked; each lies in one of ``folders`` of ``source``.

    Raises DataError, which names the first file that is missing, all files and where to put them.
    """
    target.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(files):
        asked.tell(f"Reading {name}", number / len(files))
        found = next((path for folder in folders for path in _forms_of(source / folder / name)), None)
        if found is None:
            raise DataError(missing(title, asked.called, name, files))
        copy(found, target / name, asked.called, unpack=found.suffix == PACKED)


def missing(title: str, called: str, name: str, files: Sequence[str]) -> str:
    """Return the sentence about a file that is not there."""
    return (
        f"{called}: no file {name!r} of {title} in it; expected {', '.join(files)} (each as it is or as .gz): put all "
        "of them into one folder and name that"
    )


def _forms_of(path: Path) -> list[Path]:
    return [form for form in (path, path.with_name(path.name + PACKED)) if form.is_file()]


def copy(source: Path, target: Path, called: str, *, unpack: bool) -> None:
    """Copy a file, or what gzip packed in it; raises DataError where it is damaged or too large."""
    left = MAX_BYTES
    try:
        with (gzip.open if unpack else open)(source, "rb") as given, target.open("wb") as file:
            while piece := given.read(CHUNK):
                left -= len(piece)
                if left < 0:
                    raise DataError(f"{called}: {source.name} holds more than {MAX_BYTES:,} bytes; {HOW}")
                file.write(piece)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        told = "it ends too soon, as half a download does" if isinstance(error, EOFError) else short(error)
        raise DataError(f"{called}: {source.name} is damaged ({told}): get it again") from error
    except OSError as error:
        raise DataError(f"{called}: {source.name} could not be read ({error.strerror})") from error


def part(images: Any, labels: Any, called: str) -> Part:
    """Return torchvision's images [N, C, H, W] and their labels [N]; raises DataError where they do not fit."""
    if len(images) != len(labels):
        raise DataError(f"{called}: expected as many labels as images, got {len(labels):,} for {len(images):,}")
    return Part(np.asarray(labels, np.int64), tuple(images.shape[1:]), lambda picked: np.asarray(images[picked]))


def fetched(title: str, files: Sequence[str], work: Callable[[], object]) -> None:
    """Do a download; raises DataError, which says what to put where instead."""
    from http.client import HTTPException

    try:
        work()
    except (OSError, RuntimeError, HTTPException, EOFError) as error:  # URLError is an OSError
        reason = short(getattr(error, "reason", None) or error, 300)
        raise DataError(
            f"{title} could not be downloaded ({reason}): check the network and try again, or put "
            f"{', '.join(files)} into a folder and name that; the environment variable {MIRROR} can hold the "
            "address of a mirror"
        ) from error


def discard(folder: Path) -> None:
    """Delete a folder of copies that are no longer needed."""
    shutil.rmtree(folder, ignore_errors=True)
