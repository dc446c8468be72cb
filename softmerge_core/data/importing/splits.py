"""Which samples are taken and in which split each goes: by class, and the same for the same seed."""

from collections.abc import Mapping

import numpy as np

from softmerge_core.data.base import SPLITS
from softmerge_core.errors import DataError

Picks = dict[str, tuple[str, np.ndarray]]  # split -> (the part it is from, indices in that part)
SUBSET, TEST, VALIDATION, ORDER = range(4)  # each draws from random numbers of its own


def quotas(sizes: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Return how many of ``count`` (at most the sum of ``sizes``) each group of these sizes gives.

    Each gives one, the rest goes by size. With fewer than there are groups, some give one and the others none.
    """
    groups = len(sizes)
    if count < groups:
        chosen = np.zeros(groups, np.int64)
        chosen[generator.permutation(groups)[:count]] = 1
        return chosen
    if sizes.sum() == groups:
        return np.ones(groups, np.int64)
    exact = (count - groups) * (sizes - 1) / (sizes - 1).sum()
    given: np.ndarray = 1 + np.floor(exact).astype(np.int64)
    largest = np.argsort(given - exact, kind="stable")  # of what is lost by rounding down
    given[largest[: count - given.sum()]] += 1
    return given


def stratified(labels: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    """Return sorted indices [count] of samples, of each class its share of ``labels`` [N]; ``count`` is at most N."""
    order = np.argsort(labels, kind="stable")
    _, starts, sizes = np.unique(labels[order], return_index=True, return_counts=True)
    taken = quotas(sizes, count, generator)
    picked = [
        order[start + generator.permutation(size)[:number]]
        for start, size, number in zip(starts.tolist(), sizes.tolist(), taken.tolist(), strict=True)
    ]
    return np.sort(np.concatenate(picked))


def divide(labels: Mapping[str, np.ndarray], samples: int | None, share: float, seed: int, what: str) -> Picks:
    """Return, for "train", "validation" and "test", from which part (a key of ``labels``) which samples are taken.

    Splits that the parts have of their own stay; the others are ``share`` of the training samples each. Of ``samples``
    each part gives its proportion. All are in random order, because runs with few samples take the first ones. Raises
    DataError where there are too few.
    """
    pool = {part: np.arange(len(found)) for part, found in labels.items()}
    if samples is not None and samples < sum(map(len, pool.values())):
        pool = _subset(labels, samples, seed)
    held = max(1, round(share * len(pool["train"])))
    picks: Picks = {part: (part, chosen) for part, chosen in pool.items() if part != "train"}
    rest = pool["train"]
    for split, purpose in (("test", TEST), ("validation", VALIDATION)):
        if split not in picks:
            kept = _kept(labels["train"][rest], held, _generator(seed, purpose), what)
            picks[split], rest = ("train", np.delete(rest, kept)), rest[kept]
    classes = len(np.unique(labels["train"]))
    if len(np.unique(labels["train"][rest])) < classes:
        raise DataError(f"{what}: too few samples for a training sample of each of {classes:,} classes: take more")
    picks["train"] = ("train", rest)
    generator = _generator(seed, ORDER)
    return {split: (picks[split][0], generator.permutation(picks[split][1])) for split in SPLITS}


def _generator(seed: int, purpose: int) -> np.random.Generator:
    return np.random.default_rng([seed, purpose])


def _subset(labels: Mapping[str, np.ndarray], samples: int, seed: int) -> dict[str, np.ndarray]:
    generator = _generator(seed, SUBSET)
    sizes = np.array([len(found) for found in labels.values()])
    counts = quotas(sizes, samples, generator)
    return {
        part: stratified(found, count, generator)
        for (part, found), count in zip(labels.items(), counts.tolist(), strict=True)
        if count
    }


def _kept(labels: np.ndarray, held: int, generator: np.random.Generator, what: str) -> np.ndarray:
    """Return the indices of what stays when ``held`` samples are split off; every class keeps one at least."""
    classes = len(np.unique(labels))
    if len(labels) - held < classes:
        raise DataError(
            f"{what}: {len(labels):,} samples of {classes:,} classes are too few to split {held:,} of them off: take "
            "more samples, or a smaller share for validation"
        )
    return stratified(labels, len(labels) - held, generator)
