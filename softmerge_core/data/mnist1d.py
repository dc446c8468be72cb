"""MNIST-1D (Greydanus and Kobak 2020, arXiv 2011.14439): ten digits drawn as lines, 40 points each.

Train and test are the standard 4000 and 1000 samples of the ``mnist1d`` package; the 1000 validation samples
are the last 1000 of the 5000 that it makes from another seed. Making them takes seconds, so they are kept in
``arrays/mnist1d.safetensors`` as float32; ``generate`` makes it again.
"""

import random
from pathlib import Path

import numpy as np

from softmerge_core.data.base import Arrays, Dataset

FILE = Path(__file__).parent / "arrays" / "mnist1d.safetensors"
STANDARD_SEED, VALIDATION_SEED = 42, 43


def generate() -> Arrays:
    """Make all six arrays with the package; inputs float32 [N, 1, 40]. Global random states are put back."""
    from mnist1d.data import get_dataset_args, make_dataset

    states = random.getstate(), np.random.get_state()  # noqa: NPY002 - the package draws from global state
    try:
        made = {}
        for seed in (STANDARD_SEED, VALIDATION_SEED):
            arguments = get_dataset_args()
            arguments.seed = seed
            made[seed] = make_dataset(arguments)
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
    standard, fresh = made[STANDARD_SEED], made[VALIDATION_SEED]
    splits = {
        "train": (standard["x"], standard["y"]),
        "validation": (fresh["x_test"], fresh["y_test"]),
        "test": (standard["x_test"], standard["y_test"]),
    }
    arrays: Arrays = {}
    for split, (inputs, labels) in splits.items():
        arrays[f"{split}_inputs"] = inputs[:, None, :].astype(np.float32)
        arrays[f"{split}_labels"] = labels.astype(np.uint8)
    return arrays


def load() -> Arrays:
    """Return the arrays that ship."""
    from safetensors.numpy import load_file

    return dict(load_file(FILE))


DATASET = Dataset("mnist1d", "MNIST-1D", classes=10, input_shape=(1, 40), load=load)
