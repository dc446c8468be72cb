"""An order of samples in which every stretch is a fair draw of the classes, so that the first n stand for all."""

import numpy as np


def stratified_order(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return an order of the samples, int64 [N], in which every stretch holds each class in its overall share.

    ``labels``: whole numbers [N]. Within a class the order is random, drawn from ``seed``.
    """
    generator = np.random.default_rng(seed)
    position = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        ranks = generator.permutation(len(members))
        position[members] = (ranks + generator.random(len(members))) / len(members)
    return np.argsort(position, kind="stable")
