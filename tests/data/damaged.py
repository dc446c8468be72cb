"""Mutated files of every form of data, for ``tests.mutations``: each goes in at the door that the app has for it.

CIFAR's checksums are those of the damaged files, so that the pickles are really read.
"""

import importlib
import io
import os
import pickle
import shutil
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from softmerge_core.data import check_data_file
from softmerge_core.data.forms import Asked, forms
from softmerge_core.data.importing import Wishes, archives
from softmerge_core.data.importing.making import make
from softmerge_core.errors import DataError
from tests.data.originals import (
    believe_cifar,
    believe_svhn,
    cifar_files,
    idx_files,
    image_files,
    picture,
    svhn_files,
    write_all,
)
from tests.mutations import CANARY, Reader, Sample

TYPED = DataError
CSV = b"width,height,kind\n" + b"".join(f"{k}.5,{k * k},{'ab'[k % 2]}\n".encode() for k in range(40))
BARE = b"".join(f"{k};{-k};{k % 3}\r\n".encode() for k in range(40))


class Touch:
    """Pickled, it makes the canary by a command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.folder / CANARY}",)


def bring(form: str, source: Path, scratch: Path) -> None:
    """Bring data in as the child process does, in a new scratch folder; the file that is made is checked."""
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    asked = Asked(scratch, source.name)
    make(forms()[form], source, Wishes(validation=0.2), asked, scratch / "made.npz")
    check_data_file(scratch / "made.npz")


def beside(form: str, folder: Path, files: Mapping[str, bytes], damaged: str) -> Sample:
    """A file that is read together with others, which are whole."""
    write_all(folder / form, {name: content for name, content in files.items() if name != damaged})

    def read(path: Path) -> None:
        try:
            bring(form, folder / form, folder / "scratch")
        finally:
            path.write_bytes(files[damaged])  # it lies beside the next one that is damaged

    return f"{form}/{damaged}", files[damaged], read


def alone(form: str, folder: Path, name: str, content: bytes) -> Sample:
    """A file that is brought in by itself."""
    return name, content, lambda path: bring(form, path, folder / "scratch")


def npz(**more: Any) -> bytes:
    """A data file as the app makes it."""
    images, labels = np.arange(72, dtype=np.uint8).reshape(6, 1, 3, 4), np.array([0, 1, 2, 0, 1, 2])
    arrays: dict[str, Any] = {f"{split}_inputs": images for split in ("train", "validation", "test")}
    arrays |= {f"{split}_labels": labels for split in ("train", "validation", "test")}
    told = {"mean": np.array([3.0]), "sd": np.array([2.0]), "class_names": np.array(["a", "b", "c"])}
    made = io.BytesIO()
    np.savez_compressed(made, **{**arrays, **told, "origin": np.array("nowhere"), **more})
    return made.getvalue()


def zipped(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive as a reader uploads it."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return made.getvalue()


def cifar(folder: Path) -> Iterator[Sample]:
    """Batches of CIFAR-10 whose checksums are those of the damaged files: nothing but the pickle's own wall is left."""
    from torchvision.datasets import CIFAR10

    files = cifar_files(CIFAR10)
    evil = pickle.dumps({"data": np.zeros((1, 3072), np.uint8), "labels": [Touch(folder)]}, 2)
    for name, content in (
        ("data_batch_2", files["data_batch_2"]),
        ("batches.meta", files["batches.meta"]),
        ("data_batch_1", evil),
    ):
        sample = beside("cifar10", folder, {**files, name: content}, name)
        yield sample[0], content, _believing(CIFAR10, files, name, sample[2])


def _believing(cls: Any, files: Mapping[str, bytes], name: str, read: Reader) -> Reader:
    def reader(path: Path) -> None:
        for other, content in files.items():
            (path.parent / other).write_bytes(content)
        (path.parent / name).write_bytes(damaged := path.read_bytes() if path.name == name else files[name])
        believe_cifar(setattr, cls, {**files, name: damaged})
        read(path)

    return reader


def svhn(folder: Path) -> Iterator[Sample]:
    """MATLAB files of SVHN with the checksums of whole ones: SciPy's reader crashes on some that are damaged."""
    from torchvision.datasets import SVHN

    files = svhn_files()
    name, content, read = beside("svhn", folder, files, "test_32x32.mat")

    believe_svhn(setattr, SVHN, files)
    yield name, content, read


def samples(folder: Path) -> Iterator[Sample]:
    """One sample of each kind of file."""
    for module in {module for form in forms().values() for module in form.loads}:
        importlib.import_module(module)
    archives.MAX_BYTES = 4 << 20  # so that a small archive is too large
    warnings.simplefilter("ignore")  # PIL's, of damaged pictures
    yield "mine.npz", npz(), check_data_file
    yield "evil.npz", npz(test_labels=np.array([Touch(folder)] * 6, dtype=object)), check_data_file
    numbers = idx_files(40, 30)
    for damaged in ("train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        yield beside("mnist", folder, numbers, damaged)
    packed = write_all(folder / "packed", numbers, packed=True)
    whole = {path.name: path.read_bytes() for path in packed.iterdir()}
    yield beside("kmnist", folder, whole, "t10k-images-idx3-ubyte.gz")
    yield alone("csv", folder, "headed.csv", CSV)
    yield alone("csv", folder, "bare.csv", BARE)
    images = image_files()
    images["dog/0.jpg"] = picture(np.full((20, 30, 3), 90, np.uint8), "JPEG")
    images["cat/0.tiff"] = picture(np.full((9, 9), 30, np.uint8), "TIFF", compression="tiff_lzw")
    for damaged in ("cat/1.png", "dog/0.jpg", "cat/0.tiff"):
        yield beside("images", folder, images, damaged)
    yield alone("images", folder, "pictures.zip", zipped(images))
    yield alone("fashion_mnist", folder, "originals.zip", zipped(whole, zipfile.ZIP_STORED))
    slip = {"a/0.png": picture(np.zeros((8, 8), np.uint8)), f"../{CANARY}": b"x", f"b/../../{CANARY}": b"x"}
    yield alone("images", folder, "slip.zip", zipped(slip))
    yield alone("csv", folder, "bomb.zip", zipped({"a.csv": b"1,2,3\n" * 1_000_000}))
    yield from cifar(folder)
    yield from svhn(folder)
