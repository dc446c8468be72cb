"""Two-dimensional toys whose decision boundary can be drawn: moons, spirals and rings; 600/300/600 samples each."""

from collections.abc import Callable
from functools import partial

import numpy as np

from softmerge_core.data.base import Arrays, Dataset

SIZES = {"train": 600, "validation": 300, "test": 600}
SAMPLES = (SIZES["train"], SIZES["validation"], SIZES["test"])
Shape = Callable[[np.ndarray, np.ndarray], np.ndarray]  # (labels [N], position along the shape 0-1 [N]) -> [N, 2]


def moons(labels: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Two interleaved half circles of radius 1."""
    angle = np.pi * along
    upper = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    lower = np.stack([1 - np.cos(angle), 0.5 - np.sin(angle)], axis=1)
    return np.where(labels[:, None] == 0, upper, lower)


def spirals(labels: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Three arms that wind one and a quarter turns out from the middle."""
    angle = 2 * np.pi * (labels / 3 + 1.25 * along)
    radius = 0.15 + 0.85 * along
    points: np.ndarray = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points


def rings(labels: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Three circles of radius 1, 2 and 3 around one middle."""
    angle = 2 * np.pi * along
    points: np.ndarray = (labels + 1)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points


def load(shape: Shape, classes: int, noise: float, seed: int) -> Arrays:
    """Draw three splits of ``shape`` with Gaussian noise of SD ``noise``, standardised by the training samples."""
    generator = np.random.default_rng(seed)
    arrays: Arrays = {}
    for split, size in SIZES.items():
        labels = generator.permutation(np.arange(size) % classes)
        points = shape(labels, generator.random(size))
        arrays[f"{split}_inputs"] = points + noise * generator.standard_normal(points.shape)
        arrays[f"{split}_labels"] = labels
    mean, sd = arrays["train_inputs"].mean(axis=0), arrays["train_inputs"].std(axis=0)
    for split in SIZES:
        arrays[f"{split}_inputs"] = ((arrays[f"{split}_inputs"] - mean) / sd).astype(np.float32)
    return arrays


DATASET = (
    Dataset("moons", "Moons", 2, (2,), partial(load, moons, 2, 0.2, 11), SAMPLES),
    Dataset("spirals", "Spirals", 3, (2,), partial(load, spirals, 3, 0.05, 12), SAMPLES),
    Dataset("rings", "Rings", 3, (2,), partial(load, rings, 3, 0.3, 13), SAMPLES),
)
