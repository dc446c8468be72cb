"""Small data sets in the very formats in which their authors publish them."""

import gzip
import hashlib
import io
import pickle
import struct
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

IDX = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
SHARES = {"train": 120, "test": 40}


def drawn(samples: int, shape: tuple[int, ...], classes: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Images uint8 [samples, *shape] whose brightness tells the class, and labels in turn."""
    labels = np.arange(samples) % classes
    noise = np.random.default_rng(seed).integers(0, 40, (samples, *shape))
    return (noise + (20 * labels).reshape(-1, *(1,) * len(shape))).astype(np.uint8), labels


def idx(array: np.ndarray) -> bytes:
    """An array of bytes in the IDX format (LeCun): magic number, sizes, and the bytes."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.astype(np.uint8).tobytes()


def idx_files(train: int = SHARES["train"], test: int = SHARES["test"]) -> dict[str, bytes]:
    """The four files of MNIST and its kin, by name."""
    made = {}
    for name, samples in (("train", train), ("t10k", test)):
        images, labels = drawn(samples, (28, 28))
        made[f"{name}-images-idx3-ubyte"], made[f"{name}-labels-idx1-ubyte"] = idx(images), idx(labels)
    return made


def write_all(folder: Path, files: Mapping[str, bytes], *, packed: bool = False) -> Path:
    """Write files by name, each as it is or as .gz; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / (f"{name}.gz" if packed else name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content, 1, mtime=0) if packed else content)
    return folder


def cifar_batch(samples: int, key: str, seed: int = 0) -> bytes:
    """A batch of CIFAR: rows of 3072 bytes and a list of labels, pickled as Python 2 pickled them."""
    images, labels = drawn(samples, (3, 32, 32), seed=seed)
    batch = {"data": images.reshape(samples, -1), key: labels.tolist(), "batch_label": "a batch"}
    return as_python_2(pickle.dumps(batch, protocol=2))


def as_python_2(content: bytes) -> bytes:
    """The same pickle with the name that numpy's arrays had then."""
    return content.replace(b"cnumpy._core.multiarray\n", b"cnumpy.core.multiarray\n")


def cifar_files(cls: Any) -> dict[str, bytes]:
    """The files of a CIFAR class of torchvision's, by name."""
    key = "labels" if cls.meta["key"] == "label_names" else "fine_labels"
    made = {name: cifar_batch(60, key, seed) for seed, (name, _) in enumerate([*cls.train_list, *cls.test_list])}
    return {**made, cls.meta["filename"]: pickle.dumps({cls.meta["key"]: [f"thing {k}" for k in range(10)]}, 2)}


def sums_of(files: Mapping[str, bytes]) -> dict[str, str]:
    """The MD5 of each file."""
    return {name: hashlib.md5(content, usedforsecurity=False).hexdigest() for name, content in files.items()}


def believe_cifar(patch: Callable[..., None], cls: Any, files: Mapping[str, bytes]) -> None:
    """Let the checksums of these files take the place of the real ones; ``patch`` is ``setattr`` or monkeypatch's."""
    sums = sums_of(files)
    patch(cls, "train_list", [[name, sums[name]] for name, _ in cls.train_list])
    patch(cls, "test_list", [[name, sums[name]] for name, _ in cls.test_list])
    patch(cls, "meta", {**cls.meta, "md5": sums[cls.meta["filename"]]})


def tarred(folder: str, files: Mapping[str, bytes]) -> bytes:
    """A .tar.gz with the files in a folder."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()


def svhn_files() -> dict[str, bytes]:
    """The two MATLAB files of SVHN: X [32, 32, 3, N], and y [N, 1] in which 10 stands for the digit 0."""
    from scipy.io import savemat

    made = {}
    for split, samples in SHARES.items():
        images, labels = drawn(samples, (32, 32, 3))
        content = io.BytesIO()
        savemat(
            content,
            {"X": images.transpose(1, 2, 3, 0), "y": np.where(labels == 0, 10, labels)[:, None].astype(np.uint8)},
        )
        made[f"{split}_32x32.mat"] = content.getvalue()
    return made


def believe_svhn(patch: Callable[..., None], cls: Any, files: Mapping[str, bytes]) -> None:
    """Let the checksums of these files take the place of the real ones."""
    sums = sums_of(files)
    lists = {split: [url, name, sums.get(name, md5)] for split, (url, name, md5) in cls.split_list.items()}
    patch(cls, "split_list", lists)


def picture(array: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    """A picture file of an array [H, W], [H, W, 3] or [H, W, 4]."""
    from PIL import Image

    made = io.BytesIO()
    Image.fromarray(array).save(made, kind, **options)
    return made.getvalue()


def image_files(classes: tuple[str, ...] = ("cat", "dog"), each: int = 6, size: int = 12) -> dict[str, bytes]:
    """Grey pictures by path, a folder each class."""
    made = {}
    for label, name in enumerate(classes):
        images, _ = drawn(each, (size, size), seed=label)
        made |= {f"{name}/{number}.png": picture(image + 60 * np.uint8(label)) for number, image in enumerate(images)}
    return made


needs_debian = pytest.mark.skipif(not DEBIAN.is_dir(), reason="Debian's package dataset-fashion-mnist is not installed")
