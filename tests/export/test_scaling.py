"""What a data file says of scale and classes is taken where it makes sense, and nothing hostile gets through."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmerge_core.data import datasets
from softmerge_core.data.base import SPLITS
from softmerge_core.export.scaling import MOST, Scaling, scaling_of

SHAPE = (3, 4, 4)
NOTHING = Scaling()


def saved(path: Path, **arrays: Any) -> Scaling:
    np.savez(path, **arrays)
    return scaling_of(str(path), SHAPE, 2)


@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        (np.float32(0.5), ()),
        (np.full(1, 0.5), ()),
        (np.full(3, 0.5), (3, 1, 1)),
        (np.full((3, 1, 1), 0.5), (3, 1, 1)),
        (np.full((1, 3, 1, 1), 0.5), (3, 1, 1)),
        (np.full(SHAPE, 0.5), SHAPE),
        (np.full(3, 1, np.uint8), (3, 1, 1)),
    ],
)
def test_a_scale_has_a_shape_that_broadcasts_over_a_sample(
    tmp_path: Path, mean: Any, expected: tuple[int, ...]
) -> None:
    found = saved(tmp_path / "x.npz", mean=mean, sd=np.float64(2))
    assert found.known
    assert np.shape(found.mean) == expected
    assert found.sd == 2


@pytest.mark.parametrize(
    ("mean", "sd"),
    [
        (np.full(5, 0.5), np.ones(())),
        (np.full(3, np.nan), np.ones(3)),
        (np.zeros(3), np.zeros(3)),
        (np.zeros(3), -np.ones(3)),
        (np.array(["a"] * 3), np.ones(3)),
        (np.zeros(3, complex), np.ones(3)),
        (np.zeros(MOST + 1), np.ones(3)),
        (np.array([object()] * 3), np.ones(3)),
    ],
)
def test_a_scale_that_is_none_is_left_aside(tmp_path: Path, mean: Any, sd: Any) -> None:
    assert saved(tmp_path / "x.npz", mean=mean, sd=sd) == NOTHING


def test_half_a_scale_is_none(tmp_path: Path) -> None:
    assert saved(tmp_path / "x.npz", mean=np.zeros(3)) == NOTHING


def test_classes_have_names_where_there_is_one_for_each(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    assert saved(path, class_names=np.array(["cat", "d\nog\u202e"])).names == ("cat", "d og\\u202e")
    for odd in (np.array(["cat"]), np.array([1, 2]), np.array(["a", "b", "c"]), np.array([["a", "b"]])):
        assert saved(path, class_names=odd).names == ()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"<html>"])
def test_a_file_that_is_none_says_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    assert scaling_of(str(path), SHAPE, 2) == NOTHING
    assert scaling_of(str(tmp_path / "gone.npz"), SHAPE, 2) == NOTHING
    assert scaling_of("mnist1d", SHAPE, 2) == NOTHING  # which is of another shape


@pytest.mark.parametrize(("name", "most"), [("fashion", 255), ("skills", 255), ("digits", 16)])
def test_a_built_in_data_set_says_how_its_pixels_became_inputs(name: str, most: int) -> None:
    dataset = datasets()[name]
    found, arrays = scaling_of(name, dataset.input_shape, dataset.classes), dataset.load()
    for split in SPLITS:
        raw = arrays[f"{split}_inputs"].astype(np.float64) * found.sd + found.mean
        assert np.abs(raw - raw.round()).max() < 1e-3, split
        assert (round(raw.min()), round(raw.max())) == (0, most), split
    assert f"to {most}" in found.raw


def test_enlarged_digits_are_those_of_the_small_ones() -> None:
    small, large = (scaling_of(name, datasets()[name].input_shape, 10) for name in ("digits", "digits16"))
    arrays = [datasets()[name].load()["train_inputs"].astype(np.float64) for name in ("digits", "digits16")]
    raw = [inputs * known.sd + known.mean for inputs, known in zip(arrays, (small, large), strict=True)]
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        np.testing.assert_allclose(raw[1][:, 0][:, *corner], raw[0][:, 0][:, *corner], atol=1e-3)


def test_classes_of_built_in_data_are_called_by_their_names() -> None:
    names = scaling_of("skills", (1, 28, 28), 29).names
    assert names[3] == "3"
    assert "Trouser" in names[10:20]
    assert len(set(names)) == 29
    assert scaling_of("digits", (1, 8, 8), 10).names == ()  # each is called by its number
    assert scaling_of("mnist1d", (1, 40), 10) == NOTHING
    assert scaling_of("moons", (2,), 2) == NOTHING


def test_remarks_are_what_is_known_as_json() -> None:
    assert NOTHING.remarks() == {}
    told = Scaling(0.5, 2.0, ("a", 'b"'), "pixels").remarks()
    assert json.loads(told["softmerge.scale"]) == {"mean": 0.5, "sd": 2.0, "raw": "pixels"}
    assert json.loads(told["softmerge.class_names"]) == ["a", 'b"']
    assert set(Scaling(names=("a",)).remarks()) == {"softmerge.class_names"}


@pytest.mark.parametrize("shape", ["(1000000000000,)", "(-1,)", "(3,", "(2**70,)"])
def test_an_array_that_claims_more_than_there_is_takes_no_memory(tmp_path: Path, shape: str) -> None:
    path, header = tmp_path / "x.npz", f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(24)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("mean", "sd", "class_names"):
            archive.writestr(f"{name}.npy", content)
    assert scaling_of(str(path), SHAPE, 2) == NOTHING
