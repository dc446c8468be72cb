"""Handwritten digits of 8x8 pixels: scikit-learn's ``load_digits``, the test part of a UCI data set.

Kept in ``arrays/digits.safetensors`` as uint8, 0-16: importing scikit-learn takes longer than reading them.
"""

from pathlib import Path

import numpy as np

from softmerge_core.data.base import Arrays, Dataset, Scale
from softmerge_core.data.order import stratified_order

FILE = Path(__file__).parent / "arrays" / "digits.safetensors"
TRAIN, VALIDATION, TEST = 1000, 350, 447
RAW = "pixels from 0 (background) to 16"


def generate() -> Arrays:
    """Return images uint8 [1797, 8, 8] and labels uint8 [1797], in scikit-learn's order."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return {"images": digits.images.astype(np.uint8), "labels": digits.target.astype(np.uint8)}


def load() -> Arrays:
    """Return splits of 1000, 350 and 447 with equal shares of each digit; train inputs have mean 0 and SD 1."""
    images, labels = _pixels()
    known = Scale.of(images[:TRAIN], RAW)
    inputs = (images - np.float32(known.mean)) / np.float32(known.sd)
    parts = {
        "train": slice(TRAIN),
        "validation": slice(TRAIN, TRAIN + VALIDATION),
        "test": slice(TRAIN + VALIDATION, None),
    }
    arrays: Arrays = {}
    for split, part in parts.items():
        arrays[f"{split}_inputs"], arrays[f"{split}_labels"] = inputs[part], labels[part]
    return arrays


def scale() -> Scale:
    """Return the scale of the 1,000 training images."""
    return Scale.of(_pixels()[0][:TRAIN], RAW)


def _pixels() -> tuple[np.ndarray, np.ndarray]:
    """(images float32 [1797, 1, 8, 8] of 0-16, labels uint8 [1797]), in an order that suits the splits."""
    from safetensors.numpy import load_file

    raw = load_file(FILE)
    order = stratified_order(raw["labels"])
    return raw["images"][order].astype(np.float32)[:, None], raw["labels"][order]


SAMPLES = (TRAIN, VALIDATION, TEST)
DATASET = Dataset("digits", "Digits 8x8", classes=10, input_shape=(1, 8, 8), load=load, samples=SAMPLES, scale=scale)
