"""A few samples of each class, small enough to be shown at once."""

import numpy as np

from softmerge_core.data.base import Arrays

CLASSES, EACH = 30, 12  # of so many classes so many samples each
LARGEST = 64  # pixels along a side; larger images are thinned out
LONGEST = 1000  # numbers of a row or points of a line


def few_of_each(inputs: np.ndarray, labels: np.ndarray) -> Arrays:
    """Return "inputs" [M, ...], as they are stored, and "labels" [M]: the first samples of each class, by class.

    Of images [C, H, W] with long sides every so many pixels are taken, of long rows and lines the first numbers.
    """
    order = np.argsort(labels, kind="stable")
    _, starts = np.unique(labels[order], return_index=True)
    ends = [*starts[1:].tolist(), len(order)]
    picked = [order[start : min(end, start + EACH)] for start, end in zip(starts[:CLASSES], ends, strict=False)]
    chosen = np.concatenate(picked)
    return {"inputs": thinned(inputs[chosen]), "labels": labels[chosen]}


def thinned(samples: np.ndarray) -> np.ndarray:
    """Return samples [M, ...] no larger than they can be shown: see ``few_of_each``."""
    if samples.ndim == 4:
        step = max(1, -(-max(samples.shape[2:]) // LARGEST))
        return samples[:, :3, ::step, ::step]
    if samples.ndim == 3:
        return samples[:, :3, :LONGEST]
    return samples.reshape(len(samples), -1)[:, :LONGEST]
