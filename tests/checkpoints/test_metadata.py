"""Remarks in safetensors files: they come back, change no tensor, and are text whatever a stranger writes there."""

import json
import struct
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch
from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.checkpoints.files import load_checkpoint, save_checkpoint
from softmerge_core.checkpoints.metadata import read_metadata, with_metadata
from softmerge_core.errors import CheckpointError

STATE = {"layer.weight": torch.arange(6.0).reshape(2, 3), "layer.count": torch.tensor(3), "half": torch.ones(3).half()}
EVIL = '"""; import os; os.system("x")\n<script>alert(1)</script>\u202e $x$ {"a": {'


def same(found: dict[str, torch.Tensor]) -> bool:
    return found.keys() == STATE.keys() and all(torch.equal(found[name], STATE[name]) for name in STATE)


def test_remarks_come_back_and_every_reader_finds_the_same_tensors(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_checkpoint(STATE, path, {"format": "pt", "title": EVIL})
    assert read_metadata(path) == {"format": "pt", "title": EVIL}
    assert same(load_checkpoint(path))
    assert same(load_checkpoint(path, mapped=True))
    with safetensors.safe_open(path, "pt") as file:
        assert file.metadata() == {"format": "pt", "title": EVIL}
    assert same(safetensors.torch.load_file(path))


def test_without_remarks_a_file_is_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_checkpoint(STATE, path)
    assert path.read_bytes() == safetensors.torch.save(STATE)
    assert read_metadata(path) == {}


def test_equal_remarks_give_equal_files_and_data_begin_aligned() -> None:
    content = safetensors.torch.save(STATE)
    first, second = (
        with_metadata(content, dict(order)) for order in ([("b", "2"), ("a", "1")], [("a", "1"), ("b", "2")])
    )
    assert first == second
    assert (8 + struct.unpack("<Q", first[:8])[0]) % 8 == 0
    assert with_metadata(first, {}) != first
    assert same(safetensors.torch.load(with_metadata(first, {})))


@given(st.dictionaries(st.text(), st.text(), max_size=5))
def test_any_text_can_be_a_remark(remarks: dict[str, str]) -> None:
    content = with_metadata(safetensors.torch.save(STATE), remarks)
    assert same(safetensors.torch.load(content))
    length = struct.unpack("<Q", content[:8])[0]
    assert json.loads(content[8 : 8 + length]).get("__metadata__", {}) == {
        key.encode(errors="replace").decode(): value.encode(errors="replace").decode() for key, value in remarks.items()
    }


def test_half_a_character_is_no_reason_to_fail() -> None:
    content = with_metadata(safetensors.torch.save(STATE), {"title": "\ud800"})
    assert same(safetensors.torch.load(content))


@pytest.mark.parametrize("remarks", [3, ["a"], {"a": 3}, {"a": {"b": "c"}}, {"a": None}, "text"])
def test_remarks_that_are_no_texts_are_refused(tmp_path: Path, remarks: object) -> None:
    header = json.dumps({"__metadata__": remarks, "w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    path = tmp_path / "odd.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    for read in (read_metadata, load_checkpoint):
        with pytest.raises(CheckpointError, match=r"odd\.safetensors: .*not a map of texts"):
            read(path)


def test_a_file_that_is_damaged_or_gone_is_told(tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    with pytest.raises(CheckpointError, match=r"cut\.safetensors: could not be read"):
        read_metadata(path)
    save_checkpoint(STATE, path, {"a": "b"})
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=r"cut\.safetensors: damaged"):
        read_metadata(path)
