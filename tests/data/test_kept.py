"""A data file is checked once, by a process of its own; what it found is asked for afterwards."""

import io
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softmerge_core.data import (
    check_data_spec,
    data_facts,
    data_files,
    data_labels,
    data_preview,
    keep_data_file,
    kept,
    remove_data_file,
)
from softmerge_core.data.preview import EACH
from softmerge_core.errors import DataError
from softmerge_core.home import bring_back
from softmerge_core.settings import DataSpec

INPUTS, LABELS = np.zeros((4, 2), np.float32), np.array([0, 1, 0, 2])
ARRAYS = {"train_inputs": INPUTS, "train_labels": LABELS, "validation_inputs": INPUTS, "validation_labels": LABELS}


def content(**changes: Any) -> bytes:
    made = io.BytesIO()
    np.savez(made, **(ARRAYS | changes))
    return made.getvalue()


def no_child(*_: Any, **__: Any) -> None:
    pytest.fail("the file was checked again")


def test_a_kept_file_is_checked_once_and_never_read_again(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = keep_data_file(content(), "My data.npz", "my-data")
    assert path.parent == home_folder / "data"
    monkeypatch.setattr(subprocess, "run", no_child)
    facts = data_facts(path)
    assert (facts.input_shape, facts.classes, facts.samples) == ((2,), 3, {"train": 4, "validation": 4})
    assert {key: values.tolist() for key, values in data_labels(path).items()} == {
        "train_labels": [0, 1, 0, 2],
        "validation_labels": [0, 1, 0, 2],
    }
    check_data_spec(DataSpec(dataset=str(path)))
    assert sorted(item.suffix for item in path.parent.iterdir()) == [".facts", ".labels", ".npz", ".preview"]


def test_a_deleted_file_comes_back_with_what_is_known_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = keep_data_file(content(), "My data.npz", "my-data")
    before = data_facts(path)
    ticket = remove_data_file(path)
    assert data_files() == list(path.parent.iterdir()) == []
    bring_back(ticket)
    monkeypatch.setattr(subprocess, "run", no_child)
    assert data_files() == [path]
    assert data_facts(path) == before
    for gone in (ticket, "../../data", ""):
        with pytest.raises(FileNotFoundError, match="It was deleted for good"):
            bring_back(gone)
    elsewhere = tmp_path / "other.npz"
    elsewhere.write_bytes(content())
    with pytest.raises(DataError, match=r"data file 'other\.npz': could not be deleted"):
        remove_data_file(elsewhere)
    assert elsewhere.is_file()


def test_a_file_that_changed_is_checked_again(tmp_path: Path) -> None:
    path = keep_data_file(content(), "My data.npz", "my-data")
    path.write_bytes(content(train_labels=np.array([0, 1, 0, 5])))
    os.utime(path, ns=(1, 1))
    assert data_facts(path).classes == 6
    path.write_bytes(b"no zip")
    for _ in range(2):
        with pytest.raises(DataError, match=r"^data file 'my-data-.*npz': expected an \.npz"):
            data_facts(path)


def test_what_cannot_be_used_is_refused_in_the_readers_words_and_leaves_nothing(home_folder: Path) -> None:
    with pytest.raises(DataError, match=r"'My data.npz'.*100000000 at index 3") as refused:
        keep_data_file(content(train_labels=np.array([0, 1, 0, 10**8])), "My data.npz", "my-data")
    assert str(home_folder) not in str(refused.value)
    assert list((home_folder / "data").iterdir()) == []


def test_a_checker_that_dies_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def die(command: Any, **_: Any) -> Any:
        return subprocess.CompletedProcess(command, -9, b"", b"Killed")

    monkeypatch.setattr(subprocess, "run", die)
    with pytest.raises(DataError, match=r"'a.npz': takes more memory or time"):
        keep_data_file(b"", "a.npz", "a")


def test_a_checker_that_takes_too_long_is_a_typed_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def late(command: Any, **_: Any) -> Any:
        raise subprocess.TimeoutExpired(command, 1)

    monkeypatch.setattr(subprocess, "run", late)
    with pytest.raises(DataError, match=r"'a.npz': could not be checked within"):
        keep_data_file(b"", "a.npz", "a")


@pytest.mark.parametrize("broken", ["fsync", "replace"])
def test_a_full_disk_is_a_typed_error_and_leaves_nothing(
    home_folder: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    facts = kept.Facts(input_shape=(2,), classes=3, samples={"train": 4}, sha256="0" * 64, size=1, changed=1)
    record = kept._Record(facts, {"train_labels": LABELS}, {"inputs": INPUTS, "labels": LABELS})
    monkeypatch.setattr(kept, "_check", lambda *_: record)

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device", "/home/secret")

    replace = Path.replace

    def full_at_last(path: Path, target: Path) -> Path:
        return full() if path.suffix == ".npz" else replace(path, target)  # type: ignore[return-value]

    monkeypatch.setattr(*((os, "fsync", full) if broken == "fsync" else (Path, "replace", full_at_last)))
    with pytest.raises(DataError, match=r"^data file 'a\.npz': could not be kept \(No space left on device\)$"):
        keep_data_file(b"", "a.npz", "a")
    assert list((home_folder / "data").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_typed_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SOFTMERGE_HOME", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"'a.npz': could not be kept"):
        keep_data_file(b"", "a.npz", "a")


def test_damaged_facts_are_made_again(home_folder: Path) -> None:
    path = keep_data_file(content(), "a.npz", "a")
    for suffix, junk in ((".facts", b"{"), (".labels", b"PK")):
        path.with_suffix(suffix).write_bytes(junk)
        kept._record_of.cache_clear()
        assert data_facts(path).classes == 3
        assert data_labels(path)["train_labels"].tolist() == LABELS.tolist()
        assert path.with_suffix(suffix).read_bytes() != junk


def test_names_origin_and_a_few_samples_of_each_class_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = np.arange(120, dtype=np.uint8).reshape(60, 2)
    labels = np.repeat([2, 0, 1], 20)
    told = {"class_names": np.array(["a", "b", "c"]), "origin": np.array("Made by hand")}
    path = keep_data_file(content(train_inputs=inputs, train_labels=labels, **told), "a.npz", "a")
    monkeypatch.setattr(subprocess, "run", no_child)
    assert (data_facts(path).class_names, data_facts(path).origin) == (("a", "b", "c"), "Made by hand")
    preview = data_preview(path)
    assert preview["labels"].tolist() == [0] * EACH + [1] * EACH + [2] * EACH
    chosen = [start + place for start in (20, 40, 0) for place in range(EACH)]
    assert np.array_equal(preview["inputs"], inputs[chosen])


def test_what_lies_beside_a_file_that_was_kept_long_ago_is_made_anew() -> None:
    path = keep_data_file(content(), "a.npz", "a")
    facts = json.loads(path.with_suffix(".facts").read_text())
    old = {key: value for key, value in facts.items() if key not in ("class_names", "origin")}
    path.with_suffix(".facts").write_text(json.dumps(old))
    path.with_suffix(".preview").unlink()
    kept._record_of.cache_clear()
    assert data_facts(path).classes == 3
    assert data_preview(path)["labels"].tolist() == [0, 0, 1, 2]
    assert path.with_suffix(".preview").is_file()
