"""What a data file says of scale and classes is taken where it makes sense, and nothing hostile gets through."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

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
    assert scaling_of("mnist1d", SHAPE, 2) == NOTHING


@pytest.mark.parametrize("shape", ["(1000000000000,)", "(-1,)", "(3,", "(2**70,)"])
def test_an_array_that_claims_more_than_there_is_takes_no_memory(tmp_path: Path, shape: str) -> None:
    path, header = tmp_path / "x.npz", f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(24)
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("mean", "sd", "class_names"):
            archive.writestr(f"{name}.npy", content)
    assert scaling_of(str(path), SHAPE, 2) == NOTHING
