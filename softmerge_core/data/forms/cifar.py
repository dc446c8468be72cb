"""CIFAR-10 and CIFAR-100 (Krizhevsky 2009): small colour photographs, published as pickles.

A pickle can run any program, so two walls stand before it. torchvision's classes unpickle only files whose MD5 checksum
is the one in torchvision's own code: ``read`` refuses a class that lacks one of them, for torchvision takes a missing
checksum as passed. And while they do, no name is looked up but those of which numpy's arrays are made.
"""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from softmerge_core.data.forms.base import Asked, Form, Raw, typed
from softmerge_core.data.forms.originals import (
    check_sums,
    copy,
    dataset_class,
    discard,
    fetched,
    gather,
    mirrored,
    opened,
    part,
)
from softmerge_core.data.forms.unpickling import only_arrays
from softmerge_core.errors import DataError


def read(name: str, source: Path, asked: Asked) -> Raw:
    """Return images uint8 [N, 3, 32, 32] and labels; ``source``: the .tar.gz, its folder, or a folder with either."""
    cls = dataset_class(name)
    sums = _checksums(cls)
    archive = next((path for path in (source, source / cls.filename) if path.is_file()), None)
    folders = ("", cls.base_folder)
    if archive is not None:
        source = _unpacked(cls, archive, asked)
    gather(source, folders, list(sums), asked.scratch / cls.base_folder, asked, cls.filename)
    with only_arrays():
        train, test = (opened(cls, asked.scratch, asked, train=train) for train in (True, False))
    parts = [part(split.data.transpose(0, 3, 1, 2), split.targets, asked.called) for split in (train, test)]
    discard(asked.scratch / cls.base_folder)
    return Raw(parts[0], tuple(map(str, train.classes)), test=parts[1])


def _checksums(cls: Any) -> dict[str, str]:
    """Return the MD5 of each file; raises DataError where torchvision has none, and would therefore not look."""
    listed: Iterable[tuple[str, Any]] = [*cls.train_list, *cls.test_list, (cls.meta["filename"], cls.meta["md5"])]
    sums = dict(map(tuple, listed))
    check_sums(cls, {**sums, cls.filename: cls.tgz_md5})
    return sums


def _unpacked(cls: Any, archive: Path, asked: Asked) -> Path:
    """Return a folder with what the authors' archive holds; raises DataError for any other archive."""
    from torchvision.datasets.utils import check_integrity, extract_archive

    asked.tell(f"Unpacking {archive.name}", None)
    aside = asked.scratch / "archive"
    aside.mkdir(exist_ok=True)
    kept = aside / cls.filename
    with typed(asked.called, f"the original {cls.filename}"):
        copy(archive, kept, asked.called, unpack=False)
        if not check_integrity(str(kept), cls.tgz_md5):
            raise DataError(
                f"{asked.called}: {archive.name} is not the original {cls.filename} (another checksum), or half of it: "
                "download it again"
            )
        extract_archive(str(kept), str(aside))
    return aside


def fetch(name: str, folder: Path) -> None:
    """Download and unpack the archive into ``folder``; torchvision compares its checksum."""
    cls = mirrored(dataset_class(name), lambda mirror: {"url": mirror + dataset_class(name).filename})
    with only_arrays():
        fetched(name, [cls.filename], lambda: cls(root=str(folder), download=True))
    (folder / cls.filename).unlink(missing_ok=True)  # what it held lies beside it


def _form(name: str, title: str, cls: str, archive: str, folder: str) -> Form:
    return Form(
        name=name,
        title=title,
        about=f"Colour photographs of 32 x 32 pixels. The original {archive}, or the folder {folder} that is in it.",
        takes="folder",
        read=partial(read, cls),
        fetch=partial(fetch, cls),
        megabytes=350,
        suffixes=("gz", "zip"),
        loads=("torchvision.datasets",),
    )


FORM = (
    _form("cifar10", "CIFAR-10", "CIFAR10", "cifar-10-python.tar.gz", "cifar-10-batches-py"),
    _form("cifar100", "CIFAR-100", "CIFAR100", "cifar-100-python.tar.gz", "cifar-100-python"),
)
