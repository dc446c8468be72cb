"""The same handwritten digits, drawn larger: 8x8 pixels interpolated to 16x16, for networks that pool twice."""

import numpy as np

from softmerge_core.data import digits
from softmerge_core.data.base import SPLITS, Arrays, Dataset

SIZE = 16


def load() -> Arrays:
    """The splits of ``digits``, every image interpolated linearly, corner on corner."""
    arrays = digits.load()
    weights = _interpolation(8, SIZE).astype(np.float32)
    for split in SPLITS:
        arrays[f"{split}_inputs"] = weights @ arrays[f"{split}_inputs"] @ weights.T
    return arrays


def _interpolation(few: int, many: int) -> np.ndarray:
    """[many, few]: how much of each of ``few`` points there is at each of ``many``, evenly spread over them."""
    places = np.linspace(0, few - 1, many)
    return np.maximum(0, 1 - np.abs(places[:, None] - np.arange(few)[None]))


DATASET = Dataset("digits16", "Digits 16x16", classes=10, input_shape=(1, SIZE, SIZE), load=load)
