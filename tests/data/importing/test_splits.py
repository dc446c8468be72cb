"""Subsets and splits: disjoint, the same for the same seed, and of every class its share."""

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from softmerge_core.data.importing.splits import divide, quotas, stratified
from softmerge_core.errors import DataError

LABELS = st.lists(st.integers(0, 6), min_size=8, max_size=300).map(np.array)
SEEDS = st.integers(0, 2**31 - 1)


@given(sizes=st.lists(st.integers(1, 50), min_size=1, max_size=30).map(np.array), share=st.floats(0, 1))
def test_quotas_add_up_and_every_group_gives_one_and_its_share(sizes: np.ndarray, share: float) -> None:
    count = round(share * int(sizes.sum()))
    given = quotas(sizes, count, np.random.default_rng(0))
    assert given.sum() == count
    assert (given <= sizes).all()
    assert given.max(initial=0) <= 1 if count < len(sizes) else given.min() >= 1
    if count >= len(sizes):
        fair = 1 + (count - len(sizes)) * (sizes - 1) / max(1, (sizes - 1).sum())
        assert (abs(given - fair) < 1).all()


@given(labels=LABELS, seed=SEEDS, share=st.floats(0.01, 1))
def test_a_stratified_choice_is_reproducible_and_of_the_right_size(labels: np.ndarray, seed: int, share: float) -> None:
    count = max(1, round(share * len(labels)))
    first, again = (stratified(labels, count, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(first, again)
    assert len(set(first.tolist())) == count
    if count >= len(set(labels.tolist())):
        assert set(labels[first].tolist()) == set(labels.tolist())


def divided(labels: dict[str, Any], samples: int | None, share: float, seed: int) -> dict[str, tuple[str, np.ndarray]]:
    """The splits, if there are enough samples; else that is said, and the example is none."""
    told = ""
    try:
        return divide(labels, samples, share, seed, "it")
    except DataError as error:
        told = str(error)
    assert re.match("it: .*take", told)
    assume(False)
    raise AssertionError


PART = st.none() | st.floats(0.3, 1)


@given(labels=LABELS, test=st.none() | LABELS, seed=SEEDS, share=st.floats(0.01, 0.45), part=PART)
def test_splits_are_disjoint_reproducible_and_stratified(
    labels: np.ndarray, test: np.ndarray | None, seed: int, share: float, part: float | None
) -> None:
    parts = {"train": labels} | ({"test": test} if test is not None else {})
    whole = sum(map(len, parts.values()))
    samples = None if part is None else max(2, round(part * whole))
    picks = divided(parts, samples, share, seed)
    again = divide(parts, samples, share, seed, "it")
    assert all(np.array_equal(picks[split][1], again[split][1]) for split in picks)
    taken = [(source, index) for source, chosen in picks.values() for index in chosen.tolist()]
    assert len(set(taken)) == len(taken) == (whole if samples is None else samples)
    assert picks["validation"][0] == "train"
    assert picks["test"][0] == ("train" if test is None else "test")
    assert set(labels[picks["train"][1]].tolist()) == set(labels.tolist())
    assert min(len(chosen) for _, chosen in picks.values()) >= 1


def test_shares_of_classes_are_those_of_the_whole() -> None:
    labels = np.repeat(np.arange(5), [1000, 500, 250, 100, 50])
    picks = divide({"train": labels}, 950, 0.2, 3, "it")
    assert {split: len(chosen) for split, (_, chosen) in picks.items()} == {
        "train": 570,
        "validation": 190,
        "test": 190,
    }
    for _, chosen in picks.values():
        shares = np.bincount(labels[chosen], minlength=5) / len(chosen)
        assert abs(shares - np.bincount(labels) / len(labels)).max() < 0.012


def test_another_seed_takes_others_and_the_first_samples_hold_every_class() -> None:
    labels = {"train": np.repeat(np.arange(10), 100), "test": np.repeat(np.arange(10), 20)}
    one, two = (divide(labels, 600, 0.1, seed, "it") for seed in (0, 1))
    assert set(one["train"][1].tolist()) != set(two["train"][1].tolist())
    assert len(set(labels["train"][one["train"][1][:100]].tolist())) == 10
    assert one["test"][0] == "test"
    assert len(one["test"][1]) == 100


@pytest.mark.parametrize(
    ("labels", "samples", "message"),
    [
        ([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], None, "10 samples of 10 classes are too few to split 1 of them off"),
        ([0] * 50 + list(range(40)), 20, "too few"),
    ],
)
def test_too_few_samples_are_told(labels: list[int], samples: int | None, message: str) -> None:
    with pytest.raises(DataError, match=message):
        divide({"train": np.array(labels)}, samples, 0.1, 0, "it")
