"""The usual normalisation: the mean of each channel or column becomes 0, its standard deviation 1."""

from collections.abc import Iterator

import numpy as np

from softmerge_core.data.base import BLOCK, SPLITS, Arrays
from softmerge_core.errors import DataError

SCALE = ("mean", "sd")


def channel_scale(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 (mean, SD), each [C], of ``inputs`` [N, C, ...] over samples and places.

    A channel or column that is constant gets an SD of 1, so that it becomes 0. Computed in float64 on a few samples
    at a time.
    """
    count = inputs.size // inputs.shape[1]
    mean = np.zeros(inputs.shape[1])
    for block in _blocks(inputs):
        mean += block.sum(axis=(0, 2)) / count
    squares = np.zeros(inputs.shape[1])
    for block in _blocks(inputs):
        squares += ((block - mean[:, None]) ** 2).sum(axis=(0, 2)) / count
    sd = np.sqrt(squares).astype(np.float32)
    low, high = extremes(inputs)
    return mean.astype(np.float32), np.where((low < high) & (sd > 0), sd, np.float32(1))


def extremes(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (smallest, largest) of each channel or column of ``inputs`` [N, C, ...]."""
    axes = (0, *range(2, inputs.ndim))
    return inputs.min(axis=axes), inputs.max(axis=axes)


def _blocks(inputs: np.ndarray) -> Iterator[np.ndarray]:
    together = max(1, BLOCK // max(1, inputs[0].size))
    for start in range(0, len(inputs), together):
        block = inputs[start : start + together]
        yield block.reshape(len(block), inputs.shape[1], -1).astype(np.float64)


def check_scale(what: str, arrays: Arrays) -> None:
    """Raise DataError unless ``mean`` and ``sd`` are both absent, or fit the inputs and keep them finite."""
    given = [key for key in SCALE if key in arrays]
    if not given:
        return
    if len(given) == 1:
        raise DataError(f"{what}: expected 'mean' and 'sd' together, got only {given[0]!r}")
    channels = arrays["train_inputs"].shape[1]
    for key in SCALE:
        values = arrays[key]
        if values.dtype.kind not in "fiu" or values.shape != (channels,):
            raise DataError(
                f"{what}: expected {key} to be {channels} numbers, one a channel or column, got {values.dtype} "
                f"{values.shape}"
            )
    with np.errstate(over="ignore"):
        mean, sd = (arrays[key].astype(np.float32) for key in SCALE)
    if not np.isfinite(mean).all() or not np.isfinite(sd).all() or not (sd > 0).all():
        raise DataError(f"{what}: expected finite means and SDs above 0, got NaN, Inf or an SD of 0 or less")
    for split in (split for split in SPLITS if f"{split}_inputs" in arrays):
        for end in extremes(arrays[f"{split}_inputs"]):
            with np.errstate(over="ignore", invalid="ignore"):
                if not np.isfinite((end.astype(np.float32) - mean) / sd).all():
                    raise DataError(f"{what}: {split}_inputs divided by 'sd' are more than a 32-bit float holds")
