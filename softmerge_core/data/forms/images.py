"""A folder of pictures, one folder a class (torchvision's ImageFolder), with train/, val/ and test/ above them or not.

Pictures are brought to one size, cut to the middle where their sides differ, and are all grey or all RGB.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from softmerge_core.data.base import MAX_CLASSES
from softmerge_core.data.forms.base import Asked, Form, Part, Raw, typed
from softmerge_core.errors import DataError, short

KINDS = ("PNG", "JPEG", "BMP", "PPM", "TIFF", "WEBP")  # no others are opened: for some PIL would start a program
MAX_PIXELS = 50_000_000  # of one picture
USUAL, AS_THEY_ARE = 32, 64  # pixels along a side: of pictures of several sizes; up to which one size is kept
GREY = {"1", "L", "LA", "I;16", "I;16L", "I;16B", "I"}
PARTS = {"train": ("train", "training"), "validation": ("val", "valid", "validation"), "test": ("test", "testing")}
Found = Sequence[tuple[str, int]]  # path of a picture, its class


def read(source: Path, asked: Asked) -> Raw:
    """Return pictures uint8 [N, 1 or 3, H, W] and classes by the names of their folders, in alphabetical order."""
    if not source.is_dir():
        raise DataError(f"{asked.called}: expected a folder with a folder of pictures for each class, found none")
    found, names = _pictures(source, asked)
    shape, resized = _shape([path for pictures in found.values() for path, _ in pictures], asked)
    parts = {split: _part(pictures, shape, asked) for split, pictures in found.items()}
    notes = (f"pictures were brought to {shape[1]} by {shape[2]} pixels",) if resized else ()
    return Raw(parts["train"], names, parts.get("validation"), parts.get("test"), notes)


def _pictures(source: Path, asked: Asked) -> tuple[dict[str, Found], tuple[str, ...]]:
    """Return the pictures of each split there is, and the names of the classes; raises DataError."""
    folders = {split: _one_of(source, names) for split, names in PARTS.items()}
    places = {split: place for split, place in folders.items() if place} if folders["train"] else {"train": source}
    listed = {split: _listed(place, asked) for split, place in places.items()}
    names = listed["train"][1]
    for split, (_, others) in listed.items():
        if others != names:
            odd = sorted(set(others) ^ set(names))
            raise DataError(
                f"{asked.called}: expected the same classes in train and {split}, got also {short(odd[0])!r}"
            )
    if len(names) > MAX_CLASSES:
        raise DataError(f"{asked.called}: expected at most {MAX_CLASSES:,} classes, got {len(names):,} folders")
    return {split: pictures for split, (pictures, _) in listed.items()}, tuple(names)


def _one_of(source: Path, names: Sequence[str]) -> Path | None:
    return next((source / name for name in names if (source / name).is_dir()), None)


def _listed(place: Path, asked: Asked) -> tuple[Found, list[str]]:
    from torchvision.datasets import ImageFolder

    with typed(asked.called, "a folder of pictures (.png, .jpg and the like) for each class"):
        try:
            folder = ImageFolder(str(place))
        except FileNotFoundError as error:
            told = short(str(error).replace(str(place), place.name), 300)
            raise DataError(f"{asked.called}: expected a folder of pictures for each class: {told}") from error
    return folder.samples, folder.classes


def _shape(paths: Sequence[str], asked: Asked) -> tuple[tuple[int, int, int], bool]:
    """Return (channels, height, width) to which all are brought, and whether any had another; looks at headers only."""
    sizes, grey = set(), True
    for number, path in enumerate(paths):
        if number % 500 == 0:
            asked.tell("Looking at the pictures", number / len(paths))
        with _opened(path, asked) as picture:
            sizes.add((picture.height, picture.width))
            grey &= picture.mode in GREY
    (height, width), *others = sorted(sizes)
    if asked.size is not None:
        height = width = asked.size
    elif others or max(height, width) > AS_THEY_ARE:
        height = width = USUAL
    return (1 if grey else 3, height, width), sizes != {(height, width)}


def _part(pictures: Found, shape: tuple[int, int, int], asked: Asked) -> Part:
    def inputs(picked: np.ndarray) -> np.ndarray:
        made = np.empty((len(picked), *shape), np.uint8)
        for place, index in enumerate(picked.tolist()):
            if place % 200 == 0:
                asked.tell("Reading the pictures", place / len(picked))
            made[place] = _pixels(pictures[index][0], shape, asked)
        return made

    return Part(np.array([label for _, label in pictures], np.int64), shape, inputs)


def _called(path: str) -> str:
    return short("/".join(Path(path).parts[-2:]))


def _opened(path: str, asked: Asked) -> Any:
    """Return a picture, not decoded yet; raises DataError, which names it."""
    from PIL import Image

    with (
        typed(f"{asked.called}: {_called(path)}", "a picture (PNG, JPEG, BMP, TIFF or WebP)"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        picture = Image.open(path, formats=KINDS)
        if picture.width * picture.height > MAX_PIXELS:
            raise DataError(f"{asked.called}: {_called(path)} has over {MAX_PIXELS:,} pixels: make it smaller")
        return picture


def _pixels(path: str, shape: tuple[int, int, int], asked: Asked) -> np.ndarray:
    """Return a picture as uint8 [C, H, W]."""
    from PIL import Image, ImageOps

    channels, height, width = shape
    with typed(f"{asked.called}: {_called(path)}", "a whole picture"), _opened(path, asked) as picture:
        if picture.mode in ("JPEG", "MPO"):
            picture.draft("RGB", (2 * width, 2 * height))
        plain = _eight_bits(picture) if channels == 1 or picture.mode in GREY else picture.convert("RGB")
        plain = plain if plain.mode == ("L" if channels == 1 else "RGB") else plain.convert("RGB")
        if plain.size != (width, height):
            plain = ImageOps.fit(plain, (width, height), Image.Resampling.BILINEAR)
        return np.asarray(plain, np.uint8).reshape(height, width, channels).transpose(2, 0, 1)


def _eight_bits(picture: Any) -> Any:
    """Return a grey picture with 256 levels; of 16 bits the upper eight count."""
    from PIL import Image

    if picture.mode.startswith("I"):
        return Image.fromarray((np.clip(np.asarray(picture, np.int64), 0, 65535) >> 8).astype(np.uint8))
    return picture.convert("L")


FORM = Form(
    name="images",
    title="Folder of images",
    about="One folder a class with its pictures, as class/picture.png; above them train, val and test, if you like.",
    takes="folder",
    read=read,
    suffixes=("zip",),
    loads=("torchvision.datasets", "PIL.Image", "PIL.ImageOps"),
    uses=("size",),
)
