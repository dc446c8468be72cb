"""What is slow, heavy, changed afterwards or mutated: refused with a typed error, or read as what it was."""

import io
import pickle
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from softmerge_core.checkpoints import pickles
from softmerge_core.checkpoints.files import load_checkpoint, save_checkpoint, state_hash
from softmerge_core.errors import CheckpointError

STATE = {
    "weight": torch.arange(6.0).reshape(2, 3),
    "half": torch.ones(3, dtype=torch.bfloat16),
    "mask": torch.tensor([True, False]),
    "count": torch.tensor(7),
}


def saved(state: Any, **options: Any) -> bytes:
    made = io.BytesIO()
    torch.save(state, made, **options)
    return made.getvalue()


FILES = {
    "a.safetensors": safetensors.torch.save(STATE),
    "b.pt": saved(STATE),
    "c.pt": saved(STATE, _use_new_zipfile_serialization=False),
}


def test_what_becomes_of_a_file_afterwards_does_not_reach_its_tensors(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint(STATE, path)
    loaded = load_checkpoint(path)
    with path.open("r+b") as file:  # in place, as another program would
        file.seek(-24, 2)
        file.write(b"\x55" * 24)
        file.flush()
        assert state_hash(loaded) == state_hash(STATE)
        file.truncate(0)
    assert state_hash(loaded) == state_hash(STATE)


def test_tensors_at_odd_places_are_read(tmp_path: Path) -> None:
    header = (
        b'{"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}}'
    )
    content = len(header).to_bytes(8, "little") + header + b"\x02" + b"\x00\x00\x80\x3f"
    (tmp_path / "odd.safetensors").write_bytes(content)
    loaded = load_checkpoint(tmp_path / "odd.safetensors")
    assert {name: tensor.tolist() for name, tensor in loaded.items()} == {"a": [True], "b": [1.0]}


def test_nothing_of_torch_reads_a_legacy_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        pytest.fail("the file was unpickled")

    for place in ((torch, "load"), (pickle, "load"), (pickle, "loads"), (pickle, "Unpickler")):
        monkeypatch.setattr(*place, never)
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
        assert state_hash(load_checkpoint(tmp_path / name)) == state_hash(STATE)


def training_state() -> dict[str, Any]:
    """What a training script keeps: parameters, tied and strided tensors, and an optimizer with its own tensors."""
    network = nn.Linear(3, 2)
    optimizer = torch.optim.Adam(network.parameters())
    network(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    weight = nn.Parameter(torch.arange(6.0).reshape(2, 3))
    state = {**network.state_dict(), "tied": weight, "again": weight, "turned": weight.detach().T, "part": weight[1]}
    state |= {"empty": torch.zeros(0, 3), "scalar": torch.tensor(2.5, dtype=torch.float64), "many": STATE["half"]}
    return {"epoch": 3, "rate": 0.1, "optimizer": optimizer.state_dict(), "state_dict": state}


@pytest.mark.parametrize("new", [True, False])
def test_a_legacy_file_is_read_as_torch_reads_it(tmp_path: Path, new: bool) -> None:
    content = saved(training_state(), _use_new_zipfile_serialization=new)
    (tmp_path / "a.pt").write_bytes(content)
    expected = torch.load(io.BytesIO(content), weights_only=True)["state_dict"]
    loaded = load_checkpoint(tmp_path / "a.pt")
    assert state_hash(loaded) == state_hash(expected)
    assert not any(tensor.requires_grad for tensor in loaded.values())
    loaded["tied"].zero_()
    assert loaded["again"].any()


def test_types_that_came_later_are_read(tmp_path: Path) -> None:
    state = {"a": torch.tensor([1, 65535], dtype=torch.uint16)}
    torch.save(state, tmp_path / "a.pt")
    assert state_hash(load_checkpoint(tmp_path / "a.pt")) == state_hash(state)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"a": torch.ones(2).to_sparse()}, "'a' is a sparse_tensor"),
        ({"a": 1}, "'a' is a int"),
        ({"a": torch.ones(1, dtype=torch.complex64)}, "neither|'a' is a|would run"),
        ({}, "expected a state dict .* got dict"),
        ({"state_dict": {"model": {"net": {"a": [1]}}}}, "'a' is a list"),
    ],
)
def test_what_is_no_dense_tensor_is_named(tmp_path: Path, state: Any, expected: str) -> None:
    torch.save(state, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=rf"^a\.pt: .*{expected}"):
        load_checkpoint(tmp_path / "a.pt")


def doubled(times: int) -> bytes:
    """A pickle whose one key is a tuple of two tuples of two tuples ...: to hash it takes 2^times steps."""
    return b"\x80\x02})" + b"2\x86" * times + b"Ns."


def nested(times: int) -> bytes:
    """The same as the module of a name."""
    return b"\x80\x04)" + b"2\x86" * times + b"\x8c\x01a\x93."


@pytest.mark.parametrize("content", [doubled(200), nested(200), b"\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s."])
def test_a_small_pickle_that_would_take_for_ever_takes_no_time(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "slow.pt").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"^slow\.pt: ") as refused:
        load_checkpoint(tmp_path / "slow.pt")
    assert len(str(refused.value)) < 300


def test_a_pickle_of_too_many_steps_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickles, "MAX_OPCODES", 1000)
    for start in (b"\x80\x02", b"\x80\x02cos\nsystem\n"):
        (tmp_path / "long.pt").write_bytes(start + b"N0" * 1000 + b".")
        with pytest.raises(CheckpointError, match="over 1,000 steps"):
            load_checkpoint(tmp_path / "long.pt")


@pytest.mark.parametrize(
    "text", ["include x\ny\n", "i am\na text\n.", "hello\n", "{'a': 1}", "Pickle", "import os\nos.x"]
)
def test_a_text_is_not_said_to_run_code(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.pt").write_text(text)
    with pytest.raises(CheckpointError, match=r"^a\.pt: ") as refused:
        load_checkpoint(tmp_path / "a.pt")
    assert "run code" not in str(refused.value)


@pytest.mark.parametrize("name", ["n" * 300 + ".pt", "\ud800.safetensors", "a\0b.pt", "x/" * 3000 + "a.pt"])
def test_a_path_that_no_system_takes_is_a_typed_error_in_printable_words(name: str) -> None:
    with pytest.raises(CheckpointError, match="found none") as refused:
        load_checkpoint(name)
    assert len(str(refused.value).encode()) < 300


@pytest.mark.parametrize("state", [{"a": [1.0]}, {"a": None}, {"__metadata__": torch.ones(1)}, {3: torch.ones(1)}])
def test_what_is_no_state_dict_is_not_saved(tmp_path: Path, state: Any) -> None:
    with pytest.raises(CheckpointError, match=r"^a\.safetensors: "):
        save_checkpoint(state, tmp_path / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


MUTATIONS = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4), st.integers(0, 4)), min_size=1, max_size=4)


@settings(max_examples=3 * settings().max_examples)  # 300, and 3,000 in `make fuzz`
@given(name=st.sampled_from(sorted(FILES)), mutations=MUTATIONS)
def test_hundreds_of_mutated_files_give_the_typed_error_or_load(
    tmp_path: Path, name: str, mutations: list[tuple[float, bytes, int]]
) -> None:
    content = FILES[name]
    for where, put, drop in mutations:
        at = int(where * len(content))
        content = content[:at] + put + content[at + drop :]
    (tmp_path / name).write_bytes(content)
    refusal = ""
    try:
        loaded = load_checkpoint(tmp_path / name)
        state_hash(loaded)
    except CheckpointError as error:
        refusal = str(error)
    assert not refusal or (refusal.startswith(f"{name}: ") and len(refusal) < 500)
