"""From raw arrays to one data file of the usual format."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmerge_core.data import check_data, load_data_file
from softmerge_core.data.forms import Asked, Form, Part, Raw
from softmerge_core.data.importing import Wishes, making
from softmerge_core.data.importing.making import make
from softmerge_core.errors import DataError


def form(raw: Raw | Exception) -> Form:
    def read(source: Path, asked: Asked) -> Raw:
        if isinstance(raw, Exception):
            raise raw
        return raw

    return Form("it", "It", "Nothing.", "folder", read, (), ())


def part(samples: int, shape: tuple[int, ...] = (2, 3, 3), classes: int = 4, seed: int = 0) -> Part:
    inputs = np.random.default_rng(seed).integers(0, 256, (samples, *shape)).astype(np.uint8)
    return Part(np.arange(samples) % classes, shape, lambda picked: inputs[picked])


NAMES = ("a", "b", "c", "d")


def made(tmp_path: Path, raw: Raw | Exception, **wishes: Any) -> Path:
    make(form(raw), tmp_path, Wishes(**wishes), Asked(tmp_path, "mine"), tmp_path / "made.npz")
    return tmp_path / "made.npz"


def test_a_file_is_made_whose_training_inputs_are_standardised_by_channel(tmp_path: Path) -> None:
    path = made(tmp_path, Raw(part(200), NAMES, test=part(50, seed=1)))
    data = load_data_file(path)
    check_data(data)
    assert (len(data.train_labels), len(data.validation_labels), len(data.test_labels)) == (180, 20, 50)
    assert np.allclose(data.train_inputs.mean((0, 2, 3)), 0, atol=1e-5)
    assert np.allclose(data.train_inputs.std((0, 2, 3), correction=0), 1, atol=1e-5)
    assert path.stat().st_size < 250 * (18 + 8) + 6000
    with np.load(path) as arrays:
        assert arrays["train_inputs"].dtype == np.uint8
        assert str(arrays["origin"]) == "It from mine; validation split off with seed 0"


def test_the_same_seed_makes_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    raw = Raw(part(200), NAMES)
    one = made(tmp_path, raw, samples=100, seed=3).read_bytes()
    assert made(tmp_path, raw, samples=100, seed=3).read_bytes() == one
    assert made(tmp_path, raw, samples=100, seed=4).read_bytes() != one
    with np.load(tmp_path / "made.npz") as arrays:
        assert str(arrays["origin"]) == "It from mine; 100 of 200 samples; validation and test split off with seed 4"


def test_of_a_subset_only_its_samples_are_read(tmp_path: Path) -> None:
    seen: list[int] = []
    whole = part(1000)

    def inputs(picked: np.ndarray) -> np.ndarray:
        seen.extend(picked.tolist())
        return whole.inputs(picked)

    made(tmp_path, Raw(Part(whole.labels, whole.shape, inputs), NAMES), samples=50)
    assert len(set(seen)) == len(seen) == 50


def test_a_constant_column_becomes_zero(tmp_path: Path) -> None:
    rows = np.stack([np.full(40, 7.1), np.arange(40)], axis=1).astype(np.float32)
    raw = Raw(Part(np.arange(40) % 2, (2,), lambda picked: rows[picked]), ("x", "y"))
    data = load_data_file(made(tmp_path, raw))
    assert data.train_inputs[:, 0].abs().max() < 1e-6
    assert data.test_inputs.isfinite().all()


def test_what_does_not_fit_is_told_with_the_number_that_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "MAX_BYTES", 8000)
    with pytest.raises(DataError, match=r"200 samples .* 16,000 bytes .* the 8,000 .*: take at most 100, or") as told:
        made(tmp_path, Raw(part(200), NAMES))
    assert "SOFTMERGE_DATA_BYTES" in str(told.value)
    assert made(tmp_path, Raw(part(200), NAMES), samples=100).is_file()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (Raw(part(0), NAMES), "expected train samples, got none"),
        (Raw(part(40), ()), "expected 1 to 100,000 classes, got 0"),
        (Raw(part(40), ("a", "b")), r"train_labels in 0\.\.1, got 2"),
        (Raw(part(40), NAMES, test=part(40, (2, 4, 4))), r"test samples of shape \(2, 3, 3\), got \(2, 4, 4\)"),
        (ValueError("odd\n\x07bytes"), "mine: expected the form It, got: odd"),
        (RecursionError(), "mine: expected the form It, got: RecursionError"),
    ],
)
def test_whatever_is_wrong_is_a_typed_error(tmp_path: Path, raw: Raw | Exception, message: str) -> None:
    with pytest.raises(DataError, match=message) as told:
        made(tmp_path, raw)
    assert str(told.value).isprintable()
    assert not (tmp_path / "made.npz").exists()
