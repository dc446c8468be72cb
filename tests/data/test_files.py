import contextlib
import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.data import check_data, load_data, load_data_file
from softmerge_core.errors import DataError
from softmerge_core.settings import DataSpec


def arrays(samples: int = 6, classes: int = 3) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for split in ("train", "validation", "test"):
        made[f"{split}_inputs"] = np.arange(samples * 4, dtype=np.float64).reshape(samples, 2, 2)
        made[f"{split}_labels"] = np.arange(samples) % classes
    return made


def write(path: Path, **changes: Any) -> Path:
    """A data file whose arrays are changed; None leaves one out."""
    content = {key: value for key, value in (arrays() | changes).items() if value is not None}
    np.savez(path, **content)
    return path


def test_a_good_file(tmp_path: Path) -> None:
    data = load_data_file(write(tmp_path / "mine.npz"))
    check_data(data)
    assert (data.classes, data.input_shape, data.title) == (3, (2, 2), "mine")
    assert data.train_inputs.dtype == torch.float32
    assert torch.equal(data.test_labels, torch.tensor([0, 1, 2, 0, 1, 2]))


def test_through_a_spec_with_a_limit(tmp_path: Path) -> None:
    data = load_data(DataSpec(dataset=str(write(tmp_path / "mine.npz")), train_samples=2))
    assert len(data.train_labels) == 2


def test_without_a_test_set_validation_stands_in_and_the_title_says_so(tmp_path: Path) -> None:
    data = load_data_file(write(tmp_path / "mine.npz", test_inputs=None, test_labels=None))
    assert torch.equal(data.test_inputs, data.validation_inputs)
    assert "validation" in data.title


@pytest.mark.parametrize("compressed", [np.savez, np.savez_compressed])
def test_fortran_order_and_compression(tmp_path: Path, compressed: Any) -> None:
    inputs = np.asfortranarray(np.arange(24, dtype=np.float32).reshape(6, 4))
    content = arrays() | {f"{split}_inputs": inputs for split in ("train", "validation", "test")}
    compressed(tmp_path / "mine.npz", **content)
    assert np.array_equal(load_data_file(tmp_path / "mine.npz").train_inputs.numpy(), inputs)


def test_classes_may_be_given(tmp_path: Path) -> None:
    assert load_data_file(write(tmp_path / "a.npz", classes=np.array(9))).classes == 9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_inputs": None}, "missing array 'train_inputs'"),
        ({"validation_labels": None}, "missing array 'validation_labels'"),
        ({"test_labels": None}, "missing array 'test_labels'"),
        ({"train_labels": np.zeros(6)}, "train_labels of an integer type, got float64"),
        ({"train_inputs": np.array([["a"]] * 6)}, "train_inputs to be numbers"),
        ({"train_inputs": np.zeros(6)}, "train_inputs to be numbers of shape"),
        ({"train_labels": np.array([0, 1, 2, -1, 0, 1])}, "train_labels .*got -1 at index 3"),
        ({"validation_labels": np.array([0, 1, 3, 0, 0, 1])}, r"validation_labels in 0\.\.2, got 3 at index 2"),
        ({"classes": np.array(2)}, r"train_labels in 0\.\.1, got 2 at index 2"),
        ({"classes": np.array(0.5)}, "'classes' to be one whole number"),
        ({"train_labels": np.zeros(5, int)}, r"train_labels of shape \(6,\)"),
        ({"test_inputs": np.zeros((6, 3))}, r"test_inputs of shape \(2, 2\) per sample, got \(3,\)"),
        (
            {"validation_inputs": np.zeros((0, 2, 2)), "validation_labels": np.zeros(0, int)},
            "no validation data",
        ),
        ({"train_inputs": np.full((6, 2, 2), np.nan)}, "finite train_inputs, got NaN or Inf in sample 0"),
    ],
)
def test_bad_arrays_are_named_with_the_file(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_data_file(write(tmp_path / "mine.npz", **changes))
    assert "mine.npz" in str(caught.value)


class Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    content = arrays() | {"train_labels": np.array([Canary(canary)] * 6, dtype=object)}
    np.savez(tmp_path / "mine.npz", **content)
    with pytest.raises(DataError, match="Python objects"):
        load_data_file(tmp_path / "mine.npz")
    (tmp_path / "raw.npz").write_bytes(pickle.dumps(Canary(canary)))
    with pytest.raises(DataError):
        load_data_file(tmp_path / "raw.npz")
    assert not canary.exists()


def test_a_header_that_claims_too_much_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 2**20)})
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as archive:
        archive.writestr("train_inputs.npy", header.getvalue())
    with pytest.raises(DataError, match="claims"):
        load_data_file(tmp_path / "mine.npz")


def test_a_file_of_gigabytes_of_zeros_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softmerge_core.data.files.MAX_BYTES", 1000)
    np.savez_compressed(tmp_path / "mine.npz", **arrays(), extra=np.zeros(10_000))
    with pytest.raises(DataError, match="at most 1,000 bytes"):
        load_data_file(tmp_path / "mine.npz")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found none"):
        load_data_file(tmp_path / "none.npz")


@given(cut=st.integers(0, 10_000), junk=st.binary(max_size=20))
def test_damaged_files_give_a_typed_error_or_load(
    cut: int, junk: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    whole = write(folder / "mine.npz").read_bytes()
    position = cut % len(whole)
    (folder / "mine.npz").write_bytes(whole[:position] + junk + whole[position + len(junk) :])
    with contextlib.suppress(DataError):
        load_data_file(folder / "mine.npz")
    (folder / "cut.npz").write_bytes(whole[:position])
    with pytest.raises(DataError, match=r"cut\.npz"):
        load_data_file(folder / "cut.npz")
