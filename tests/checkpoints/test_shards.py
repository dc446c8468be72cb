"""Weights in several files are those of one file; an index that is not right is told by its name."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from softmerge_core.checkpoints import load_checkpoint, save_checkpoint
from softmerge_core.checkpoints.files import stored_dtypes
from softmerge_core.checkpoints.shards import INDEX, MAX_SHARDS, shards
from softmerge_core.errors import CheckpointError
from softmerge_core.experiments.admission import memory_needed
from softmerge_core.settings import SourceSpec

NAME = f"model{INDEX}"
FIRST, SECOND = "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2)).half().state_dict()


@pytest.fixture
def index(tmp_path: Path, state: dict[str, torch.Tensor]) -> Path:
    """The index of weights in two files."""
    places = {name: FIRST if name.startswith("0") else SECOND for name in state}
    for file in (FIRST, SECOND):
        save_checkpoint({name: state[name] for name, place in places.items() if place == file}, tmp_path / file)
    return written(tmp_path, {"metadata": {"total_size": 1}, "weight_map": places})


def written(folder: Path, content: Any) -> Path:
    (folder / NAME).write_text(content if isinstance(content, str) else json.dumps(content))
    return folder / NAME


@pytest.mark.parametrize("mapped", [False, True])
def test_weights_in_several_files_are_read_as_those_of_one(
    index: Path, state: dict[str, torch.Tensor], mapped: bool
) -> None:
    loaded = load_checkpoint(index, mapped=mapped)
    assert list(loaded) == sorted(state)
    assert all(torch.equal(loaded[name], state[name]) for name in state)
    assert shards(index) == [index.with_name(FIRST), index.with_name(SECOND)]
    assert stored_dtypes(index) == {torch.float16}


def test_the_memory_of_weights_in_several_files_is_that_of_one(index: Path, state: dict[str, torch.Tensor]) -> None:
    save_checkpoint(state, index.with_name("whole.safetensors"))
    needed = [
        memory_needed([SourceSpec(model=str(path))] * 2) for path in (index, index.with_name("whole.safetensors"))
    ]
    assert needed[0] == needed[1]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{", "expected an index in JSON"),
        ("[" * 100_000, "expected an index in JSON"),
        ([], "with a weight_map, got none"),
        ({"weight_map": {}}, "with a weight_map, got none"),
        ({"weight_map": {"w": "absent.safetensors"}}, "expected absent.safetensors beside it, found none"),
        ({"weight_map": {"w": f"../{FIRST}"}}, "beside it, got"),
        ({"weight_map": {"w": "/etc/passwd"}}, "beside it, got"),
        ({"weight_map": {"w": "..\\x.safetensors"}}, "beside it, got"),
        ({"weight_map": {"w": 3}}, "beside it, got"),
        ({"weight_map": {"w": FIRST}}, f"tensor 'w' is not in {FIRST}"),
        ({"weight_map": {"../w": FIRST}}, "../w"),
        ({"weight_map": {f"w{i}": f"{i}.safetensors" for i in range(MAX_SHARDS + 1)}}, "expected at most"),
    ],
)
def test_an_index_that_is_not_right_is_told_by_its_name(index: Path, content: Any, expected: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(written(index.parent, content))
    assert expected in str(caught.value)
    assert str(caught.value).startswith(NAME)


def test_a_damaged_file_of_several_is_told_by_its_own_name(index: Path) -> None:
    index.with_name(SECOND).write_bytes(b"nothing of the kind")
    with pytest.raises(CheckpointError, match=SECOND):
        load_checkpoint(index)
    assert stored_dtypes(index) == set()
