"""How many samples there are, without loading them into torch."""

from types import SimpleNamespace

import pytest

from softmerge_core.data import load_dataset
from softmerge_core.experiments import samples
from softmerge_core.settings import DataSpec


def test_labelled_samples_are_those_to_train_and_to_validate_as_far_as_the_spec_lets() -> None:
    data = load_dataset("moons")
    train, validation = len(data.train_labels), len(data.validation_labels)
    assert samples.labelled_samples(DataSpec(dataset="moons")) == train + validation
    assert samples.labelled_samples(DataSpec(dataset="moons", train_samples=7)) == 7 + validation
    assert samples.labelled_samples(DataSpec(dataset="moons", train_samples=10**6, validation_samples=5)) == train + 5


def test_those_of_a_file_are_what_its_check_found(monkeypatch: pytest.MonkeyPatch) -> None:
    facts = SimpleNamespace(samples={"train": 30, "validation": 12, "test": 900})
    monkeypatch.setattr(samples, "data_facts", lambda path: facts)
    assert samples.labelled_samples(DataSpec(dataset="mine.npz", validation_samples=4)) == 34
