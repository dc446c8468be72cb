"""A few labelled samples, drawn from all that there are."""

import dataclasses

import pytest
import torch

from softmerge_core.data import Data, load_dataset
from softmerge_core.errors import DataError
from softmerge_core.experiments.compare.drawing import drawn


def numbered() -> Data:
    """Moons whose samples are numbered through: the training samples first, then those for validation."""
    data = load_dataset("moons")
    train, validation = len(data.train_labels), len(data.validation_labels)
    numbers = torch.arange(train + validation, dtype=torch.float32)[:, None].repeat(1, 2)
    labels = numbers[:, 0].long()
    return dataclasses.replace(
        data,
        train_inputs=numbers[:train], train_labels=labels[:train],
        validation_inputs=numbers[train:], validation_labels=labels[train:],
    )  # fmt: skip


def test_half_of_the_samples_train_and_the_others_validate() -> None:
    found = drawn(numbered(), 41, seed=0)
    train, validation = set(found.train_labels.tolist()), set(found.validation_labels.tolist())
    assert (len(train), len(validation)) == (21, 20)
    assert not train & validation
    assert torch.equal(found.train_inputs[:, 0].long(), found.train_labels), "inputs and labels are parted"
    assert torch.equal(found.validation_inputs[:, 0].long(), found.validation_labels), "inputs and labels are parted"


def test_both_splits_are_drawn_from_and_all_samples_are_all() -> None:
    data = numbered()
    total = len(data.train_labels) + len(data.validation_labels)
    some = drawn(data, 60, seed=1).train_labels
    assert 0 < int((some < len(data.train_labels)).sum()) < len(some)
    every = drawn(data, total, seed=1)
    assert sorted([*every.train_labels.tolist(), *every.validation_labels.tolist()]) == list(range(total))


def test_a_seed_gives_the_same_samples_another_others_and_few_are_among_many() -> None:
    data = numbered()
    first, again, other, more = (drawn(data, n, seed) for n, seed in ((40, 0), (40, 0), (40, 1), (200, 0)))
    assert torch.equal(first.train_labels, again.train_labels)
    assert set(first.train_labels.tolist()) != set(other.train_labels.tolist())
    assert set(first.train_labels.tolist()) < set(more.train_labels.tolist())
    assert set(first.validation_labels.tolist()) < set(more.validation_labels.tolist())


def test_more_samples_than_there_are_cannot_be_drawn() -> None:
    with pytest.raises(DataError, match="got 1,000,000"):
        drawn(numbered(), 1_000_000, seed=0)
