"""Single test samples, by their places: of data that ship and of files of one's own, which another process reads."""

from pathlib import Path

import numpy as np
import pytest

from softmerge_core.data import datasets
from softmerge_core.data.picking import pick_test
from softmerge_core.errors import DataError


def data_file(path: Path, **more: np.ndarray) -> Path:
    inputs, labels = np.arange(12 * 90, dtype=np.uint8).reshape(12, 1, 90, 1), np.arange(12) % 3
    arrays = {f"{split}_{name}": values for split in ("train", "validation") for name, values in
              (("inputs", inputs), ("labels", labels))}  # fmt: skip
    np.savez(path, **arrays, **more)
    return path


def test_samples_of_data_that_ship_are_those_of_the_test_set_in_the_order_that_was_asked_for() -> None:
    arrays = datasets()["moons"].load()
    found = pick_test("moons", [7, 2])
    assert (found["inputs"] == arrays["test_inputs"][[7, 2]]).all()
    assert found["labels"].tolist() == arrays["test_labels"][[7, 2]].tolist()


def test_a_file_without_test_samples_lends_those_to_validate_on_and_large_pictures_are_thinned(tmp_path: Path) -> None:
    found = pick_test(str(data_file(tmp_path / "mine.npz")), [11, 0])
    assert found["labels"].tolist() == [2, 0]
    assert found["inputs"].shape == (2, 1, 45, 1)
    assert found["inputs"][1, 0, :, 0].tolist() == list(range(0, 90, 2))
    more = {"test_inputs": np.full((2, 1, 90, 1), 5, np.uint8), "test_labels": np.array([1, 1])}
    found = pick_test(str(data_file(tmp_path / "with.npz", **more)), [1])
    assert (found["labels"].tolist(), int(found["inputs"].max())) == ([1], 5)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none of this name"):
        pick_test("gone", [0])
    with pytest.raises(DataError, match="expected more than 99,999 test samples"):
        pick_test("moons", [99_999])
    with pytest.raises(DataError, match=r"data file 'gone.npz'"):
        pick_test(str(tmp_path / "gone.npz"), [0])
    with pytest.raises(DataError, match=r"expected more than 12 test samples, got 12"):
        pick_test(str(data_file(tmp_path / "few.npz")), [12])
