"""Pictures for the data sets that ship are read from the collections as they are published."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from softmerge_core.data import datasets, fashion, load_dataset, pictures, skills
from softmerge_core.errors import DataError

SIDE = pictures.SIDE


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(pictures.FOLDER, str(tmp_path))
    return tmp_path


def test_fashion_is_read_from_its_idx_files(folder: Path) -> None:
    images, place = np.arange(2 * SIDE * SIDE).reshape(2, SIDE, SIDE).astype(np.uint8), folder / "fashion-mnist"
    place.mkdir()
    (place / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(bytes(16) + images.tobytes()))
    (place / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(8) + bytes([9, 0])))
    found, labels = pictures.fashion("t10k")
    assert np.array_equal(found, images)
    assert labels.tolist() == [9, 0]


def test_digits_are_read_from_the_package_as_it_is_packed(folder: Path) -> None:
    place = folder / "mnist" / "package" / "src" / "digits"
    place.mkdir(parents=True)
    for digit in range(10):
        values = [digit / 10] * SIDE * SIDE * (2 if digit == 3 else 1)
        (place / f"{digit}.json").write_text(json.dumps({"data": values}))
    images, labels = pictures.digits()
    assert labels.tolist() == [0, 1, 2, 3, 3, 4, 5, 6, 7, 8, 9]
    assert images[:, 0, 0].tolist() == [round(255 * label / 10) for label in labels.tolist()]


def test_emoji_lie_dark_on_white_inverted_and_each_once(folder: Path) -> None:
    place = folder / "emoji" / "img" / "google" / "64"
    place.mkdir(parents=True)
    clear, black, white = torch.zeros(4, 64, 64), torch.zeros(4, 64, 64), torch.full((4, 64, 64), 255.0)
    black[3, :, :32] = 255  # its right half is clear
    for name, picture in {"clear": clear, "black": black, "white": white, "again": black}.items():
        _write_rgba(place / f"{name}.png", picture)
    known = [("clear", "Flags"), ("black", "Objects"), ("again", "Objects"), ("white", "Flags"), ("black", "Component")]
    listed = [{"image": f"{name}.png", "category": category} for name, category in [*known, ("gone", "Flags")]]
    (folder / "emoji" / "emoji.json").write_text(json.dumps(listed))
    images, labels = pictures.emoji()
    assert labels.tolist() == [pictures.EMOJI.index("Flags"), pictures.EMOJI.index("Objects")]
    assert images[0].max() == 0, "what is clear and what is white is background"
    assert images[1][:, :12].min() == 255
    assert images[1][:, 16:].max() == 0


def _write_rgba(path: Path, picture: torch.Tensor) -> None:
    Image.fromarray(picture.permute(1, 2, 0).to(torch.uint8).numpy(), "RGBA").save(path)


def test_what_is_not_there_is_told_with_where_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for place in ("", str(tmp_path)):
        monkeypatch.setenv(pictures.FOLDER, place)
        with pytest.raises(DataError, match=r"emoji: expected the folder emoji in SOFTMERGE_PICTURES"):
            pictures.emoji()


def test_each_skill_has_as_many_samples_to_be_tested_on() -> None:
    data = load_dataset("skills")
    for split, count in (("validation", skills.VALIDATION), ("test", skills.TEST)):
        labels = data.split(split)[1].tolist()
        assert [sum(label in classes for label in labels) for classes in skills.SKILLS.values()] == [count] * 3


def test_clothes_of_the_skills_are_those_of_fashion() -> None:
    data, clothes = load_dataset("skills"), fashion.splits()
    is_clothes = (data.test_labels >= 10) & (data.test_labels < 20)
    levels = data.test_inputs[is_clothes].flatten(1).sort(1).values
    expected = torch.from_numpy(clothes["test_inputs"][: skills.TEST].astype(np.float32)).flatten(1).sort(1).values
    low, high = data.train_inputs.min(), data.train_inputs.max()
    back = ((levels - low) / (high - low) * 255).round()
    assert {tuple(row.tolist()) for row in back} == {tuple(row.tolist()) for row in expected}


def test_classes_have_names() -> None:
    for name in ("fashion", "skills"):
        dataset = datasets()[name]
        assert len(set(dataset.class_names)) == dataset.classes
