"""Fashion-MNIST, 9,000 of its pictures (Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747; MIT): ten kinds of clothes.

28x28 grey pixels; 6,000 to train on and 1,000 to validate on from its training part, 2,000 from its test part, with
equal shares of each class. All 70,000 can be brought in as data of one's own.
"""

from pathlib import Path

import numpy as np

from softmerge_core.data.base import Arrays, Dataset, Scale
from softmerge_core.data.order import stratified_order
from softmerge_core.data.pictures import CLOTHES, SIDE, fashion

FILE = Path(__file__).parent / "arrays" / "fashion.npz"
TRAIN, VALIDATION, TEST = 6000, 1000, 2000
RAW = "grey pixels from 0 (background) to 255"


def generate() -> Arrays:
    """Return uint8 images [9000, 28, 28] and labels [9000] from the original files: training, validation, test."""
    parts = [_first(*fashion("train"), TRAIN + VALIDATION), _first(*fashion("t10k"), TEST)]
    return {"images": np.concatenate([x for x, _ in parts]), "labels": np.concatenate([y for _, y in parts])}


def _first(images: np.ndarray, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    chosen = stratified_order(labels)[:count]
    return images[chosen], labels[chosen]


def splits() -> Arrays:
    """Return the splits as they ship: uint8 inputs [N, 1, 28, 28] and labels [N]."""
    with np.load(FILE) as raw:
        images, labels = raw["images"][:, None], raw["labels"]
    ends = {"train": (0, TRAIN), "validation": (TRAIN, TRAIN + VALIDATION), "test": (TRAIN + VALIDATION, len(labels))}
    inputs = {f"{split}_inputs": images[start:stop] for split, (start, stop) in ends.items()}
    return inputs | {f"{split}_labels": labels[start:stop] for split, (start, stop) in ends.items()}


def standardised(arrays: Arrays) -> Arrays:
    """Return the same with float32 inputs of which those to train on have mean 0 and SD 1."""
    scale = Scale.of(arrays["train_inputs"], RAW)
    mean, sd = np.float32(scale.mean), np.float32(scale.sd)
    return {
        name: (values.astype(np.float32) - mean) / sd if name.endswith("inputs") else values
        for name, values in arrays.items()
    }


def load() -> Arrays:
    """Return splits of 6,000, 1,000 and 2,000; inputs [N, 1, 28, 28], those to train on of mean 0 and SD 1."""
    return standardised(splits())


def scale() -> Scale:
    """Return the scale of the 6,000 training images."""
    return Scale.of(splits()["train_inputs"], RAW)


DATASET = Dataset(
    "fashion",
    "Fashion 28x28",
    classes=10,
    input_shape=(1, SIDE, SIDE),
    load=load,
    samples=(TRAIN, VALIDATION, TEST),
    class_names=CLOTHES,
    scale=scale,
)
