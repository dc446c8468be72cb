"""A folder of pictures: a class each folder, one size, all grey or all colour."""

import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from softmerge_core.data.forms import Asked, Part, Raw, images
from softmerge_core.errors import DataError
from tests.data.originals import image_files, picture, write_all

GREY = np.arange(144, dtype=np.uint8).reshape(12, 12)
COLOUR = np.stack([GREY, 255 - GREY, GREY // 2], axis=2)


def read(folder: Path, size: int | None = None) -> Raw:
    return images.read(folder, Asked(folder.parent / "scratch", "mine", size=size))


def pixels(part: Part) -> np.ndarray:
    return part.inputs(np.arange(len(part.labels)))


def test_grey_pictures_of_one_small_size_stay_as_they_are(tmp_path: Path) -> None:
    raw = read(write_all(tmp_path / "mine", {"dog/1.png": picture(GREY), "cat/1.png": picture(GREY + 1)}))
    assert raw.class_names == ("cat", "dog")
    assert raw.train.labels.tolist() == [0, 1]
    assert np.array_equal(pixels(raw.train), np.stack([GREY + 1, GREY])[:, None])
    assert raw.notes == ()


def test_one_picture_in_colour_makes_all_of_them_colour(tmp_path: Path) -> None:
    raw = read(write_all(tmp_path / "mine", {"a/1.png": picture(GREY), "b/1.png": picture(COLOUR)}))
    assert raw.train.shape == (3, 12, 12)
    assert np.array_equal(pixels(raw.train)[1], COLOUR.transpose(2, 0, 1))
    assert np.array_equal(pixels(raw.train)[0], np.stack([GREY] * 3))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (np.array([[0, 256, 65535]] * 4, np.uint16), [0, 1, 255]),
        (np.array([[0, 128, 255]] * 4, np.uint8), [0, 128, 255]),
        (np.array([[False, True, False]] * 4), [0, 255, 0]),
        (np.array([[[7, 255], [9, 0], [11, 128]]] * 4, np.uint8), [7, 9, 11]),
    ],
    ids=["16 bits", "8 bits", "1 bit", "with transparency"],
)
def test_every_kind_of_grey_is_read(tmp_path: Path, made: np.ndarray, expected: list[int]) -> None:
    raw = read(write_all(tmp_path / "mine", {"a/1.png": picture(made)}))
    assert raw.train.shape == (1, 4, 3)
    assert pixels(raw.train)[0, 0, 0].tolist() == expected


def test_palettes_and_transparency_become_colour(tmp_path: Path) -> None:
    files = {
        "a/1.png": picture(np.dstack([COLOUR, GREY])),
        "a/2.bmp": picture(COLOUR, "BMP"),
        "b/3.webp": picture(COLOUR, "WEBP", lossless=True),
    }
    Image.fromarray(COLOUR).quantize(256).save(tmp_path / "palette.png")
    files["b/4.png"] = (tmp_path / "palette.png").read_bytes()
    found = pixels(read(write_all(tmp_path / "mine", files)).train)
    assert np.array_equal(found[:3], np.stack([COLOUR.transpose(2, 0, 1)] * 3))
    assert abs(found[3].astype(int) - COLOUR.transpose(2, 0, 1)).max() < 40


def test_several_sizes_become_one_and_the_middle_is_kept(tmp_path: Path) -> None:
    wide = np.zeros((40, 80), np.uint8)
    wide[:, 20:60] = 200
    folder = write_all(tmp_path / "mine", {"a/1.png": picture(wide), "a/2.png": picture(GREY)})
    assert read(folder).train.shape == (1, 32, 32)
    found = read(folder, size=10)
    assert found.train.shape == (1, 10, 10)
    assert found.notes == ("pictures were brought to 10 by 10 pixels",)
    assert pixels(found.train)[0, 0, :, 1:-1].min() == 200


def test_large_pictures_of_one_size_become_small(tmp_path: Path) -> None:
    big = picture(np.zeros((100, 100), np.uint8))
    assert read(write_all(tmp_path / "mine", {"a/1.png": big})).train.shape == (1, 32, 32)


def test_splits_of_their_own_are_kept(tmp_path: Path) -> None:
    files = {
        f"{split}/{name}": content for split in ("train", "val", "test") for name, content in image_files().items()
    }
    raw = read(write_all(tmp_path / "mine", files))
    assert raw.validation is not None
    assert raw.test is not None
    assert [len(part.labels) for part in (raw.train, raw.validation, raw.test)] == [12, 12, 12]
    (tmp_path / "mine" / "val" / "cow").mkdir()
    (tmp_path / "mine" / "val" / "cow" / "1.png").write_bytes(picture(GREY))
    with pytest.raises(DataError, match="the same classes in train and validation, got also 'cow'"):
        read(tmp_path / "mine")


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "mine: expected a folder of pictures for each class"),
        ({"cat/readme.txt": b"none"}, "no valid file for the classes cat"),
        ({"cat/1.png": b"no picture"}, r"mine: cat/1\.png: expected a picture \(PNG"),
        ({"cat/1.png": picture(GREY)[:-30]}, r"mine: cat/1\.png: expected a whole picture"),
        ({"cat/1.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"}, r"cat/1\.png: expected a picture"),
    ],
)
def test_what_is_wrong_is_named_by_folder_and_picture(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    folder = write_all(tmp_path / "mine", files)
    with pytest.raises(DataError, match=message):
        pixels(read(folder).train)


def test_a_picture_of_a_billion_pixels_is_not_decoded(tmp_path: Path) -> None:
    """A kilobyte of file that says it is 60,000 by 60,000."""
    content = bytearray(picture(GREY))
    content[16:24] = (60_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(bytes(content[12:29])).to_bytes(4, "big")
    with pytest.raises(DataError, match=r"cat/1\.png"):
        read(write_all(tmp_path / "mine", {"cat/1.png": bytes(content)}))


def test_no_folder_at_all(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected a folder with a folder of pictures for each class, found none"):
        read(tmp_path / "absent")
