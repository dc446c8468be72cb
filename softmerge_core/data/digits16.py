"""The same handwritten digits, enlarged: 8x8 pixels interpolated to 16x16, for networks that pool twice."""

import numpy as np

from softmerge_core.data import digits
from softmerge_core.data.base import SPLITS, Arrays, Dataset, Scale

SIZE = 16


def load() -> Arrays:
    """Return the splits of ``digits`` with every image interpolated linearly; train inputs have mean 0 and SD 1."""
    arrays = digits.load()
    images = {split: _enlarged(arrays[f"{split}_inputs"]) for split in SPLITS}
    mean, sd = images["train"].mean(), images["train"].std()
    return arrays | {f"{split}_inputs": (images[split] - mean) / sd for split in SPLITS}


def scale() -> Scale:
    """Return the scale of the 1,000 training images, which are brought to it twice: small, and once enlarged."""
    small, enlarged = digits.scale(), _enlarged(digits.load()["train_inputs"])
    mean, sd = float(enlarged.mean()), float(enlarged.std())
    return Scale(small.mean + small.sd * mean, small.sd * sd, f"{digits.RAW}, enlarged linearly")


def _enlarged(images: np.ndarray) -> np.ndarray:
    """Return [N, 1, 16, 16] of images [N, 1, 8, 8]."""
    weights = _interpolation(8, SIZE).astype(np.float32)
    larger: np.ndarray = weights @ images @ weights.T
    return larger


def _interpolation(few: int, many: int) -> np.ndarray:
    """Return [many, few], the weight of each of ``few`` points at each of ``many`` evenly spread over them."""
    places = np.linspace(0, few - 1, many)
    shares: np.ndarray = np.maximum(0, 1 - np.abs(places[:, None] - np.arange(few)[None]))
    return shares


DATASET = Dataset(
    "digits16",
    "Digits 16x16",
    classes=10,
    input_shape=(1, SIZE, SIZE),
    load=load,
    samples=digits.SAMPLES,
    scale=scale,
)
