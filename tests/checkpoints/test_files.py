"""Weights files: what is written comes back, and nothing hostile or damaged gets through."""

import json
import os
import pickle
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from softmerge_core.checkpoints.files import load_checkpoint, load_into, save_checkpoint, state_hash, stored_dtypes
from softmerge_core.checkpoints.header import floats_in
from softmerge_core.errors import CheckpointError
from tests.networks_for_tests import Tied

FEWER = settings(max_examples=settings().max_examples // 2)  # each writes and reads a file


def network() -> nn.Module:
    """A small network with every kind of state: weights, BatchNorm statistics, a zero-dimensional counter."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv1d(1, 3, 3), nn.BatchNorm1d(3), nn.Flatten(), nn.Linear(9, 2))


def container(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    """ST(h, d) of the list of bad inputs."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def refuse(path: Path, content: bytes, expected: str) -> None:
    """``content`` at ``path`` is refused by an error that names the file and says ``expected``."""
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=expected) as caught:
        load_checkpoint(path)
    assert path.name in str(caught.value)


def attempt(function: Any, *arguments: Any) -> tuple[Any, str]:
    """(what the function returned, "") or (None, the text of its CheckpointError)."""
    try:
        return function(*arguments), ""
    except CheckpointError as error:
        return None, str(error)


def entry(shape: list[int], start: int, stop: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, stop]}


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    state = network().state_dict()
    save_checkpoint(network(), tmp_path / "deep" / "a.safetensors")
    loaded = load_checkpoint(tmp_path / "deep" / "a.safetensors")
    assert set(loaded) == set(state)
    assert all(torch.equal(loaded[name], tensor) for name, tensor in state.items())
    assert state_hash(loaded) == state_hash(state)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.safetensors"]


def test_tied_and_strided_weights_are_saved(tmp_path: Path) -> None:
    weight = torch.arange(6.0).reshape(2, 3)
    save_checkpoint({"a": weight, "b": weight, "c": weight.T}, tmp_path / "tied.safetensors")
    loaded = load_checkpoint(tmp_path / "tied.safetensors")
    assert torch.equal(loaded["a"], loaded["b"])
    assert torch.equal(loaded["c"], weight.T)


def test_a_failed_save_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint({"a": torch.ones(2)}, path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left"):
        save_checkpoint({"a": torch.zeros(2)}, path)
    assert torch.equal(load_checkpoint(path)["a"], torch.ones(2))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["__metadata__", "\ud800", "../../x", "/etc/x", "", "a\nb", "a\\..\\b", "x" * 600])
def test_names_that_are_paths_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckpointError, match="layer's name"):
        save_checkpoint({name: torch.zeros(1)}, tmp_path / "a.safetensors")
    refuse(tmp_path / "b.safetensors", container({name: entry([1], 0, 4)}, bytes(4)), "layer's name|map of texts")
    torch.save({name: torch.zeros(1)} if name.isprintable() else {"a\0": torch.zeros(1)}, tmp_path / "b.pt")
    refuse(tmp_path / "b.pt", (tmp_path / "b.pt").read_bytes(), "layer's name")


def test_the_hash_sees_names_dtypes_shapes_and_bytes() -> None:
    base = {"a": torch.zeros(2, 3), "b": torch.ones(4)}
    others = [
        {"x": base["a"], "b": base["b"]},
        {"a": base["a"].double(), "b": base["b"]},
        {"a": base["a"].reshape(3, 2), "b": base["b"]},
        {"a": base["a"] - 0.0 * 1 + torch.tensor(-0.0), "b": base["b"] * 2},
    ]
    assert len({state_hash(state) for state in [base, *others]}) == 5
    assert state_hash(dict(reversed(base.items()))) == state_hash(base)
    assert state_hash({"h": torch.ones(3, dtype=torch.bfloat16)}) != state_hash({"h": torch.ones(3)})


HEADERS = [
    pytest.param(container({}, length=2**63), "not a safetensors file", id="header length 2**63"),
    pytest.param(container({}, length=99), "invalid header length", id="header longer than the file"),
    pytest.param(container(b" " * 10**7), "not a safetensors file", id="header of ten megabytes"),
    pytest.param(b"", "0 bytes", id="empty"),
    pytest.param(b"<!DOCTYPE html><html><body>no</body></html>", "web page", id="html"),
    pytest.param(container({"w": entry([2**40, 2**40], 0, 4)}, bytes(4)), "'w': invalid shape", id="product overflows"),
    pytest.param(container({"w": entry([2**62, 0, 5], 0, 4)}, bytes(4)), "invalid shape", id="zero hides overflow"),
    pytest.param(container({"w": entry([2**63, 0], 0, 0)}), "'w': expected at most", id="zero hides a huge size"),
    pytest.param(container({"w": entry([True], 0, 4)}, bytes(4)), "whole numbers", id="truth as a size"),
    pytest.param(container({"w": entry([1.0], 0, 4)}, bytes(4)), "whole numbers", id="fraction as a size"),  # type: ignore
    pytest.param(container({"\ud800": entry([1], 0, 4)}, bytes(4)), "layer's name", id="half a letter"),
    pytest.param(container(b"{" * 20_003), "at most 20,000 tensors", id="many tensors"),
    pytest.param(container({"__metadata__": entry([1], 0, 4)}, bytes(4)), "map of texts", id="remarks as a tensor"),
    pytest.param(container({"w": entry([1] * 17, 0, 4)}, bytes(4)), "'w': expected at most 16", id="17 dimensions"),
    pytest.param(container({"w": entry([3], 0, 4)}, bytes(4)), "invalid shape", id="bytes do not fit the shape"),
    pytest.param(
        container({"a": entry([2], 0, 8), "b": entry([2], 4, 12)}, bytes(12)), "'b': offset 4, expected 8", id="overlap"
    ),
    pytest.param(
        container({"a": entry([2], 0, 8), "b": entry([2], 0, 8)}, bytes(8)), "'b': offset 0, expected 8", id="one place"
    ),
    pytest.param(
        container({"a": entry([1], 0, 4), "b": entry([1], 8, 12)}, bytes(12)), "'b': offset 8, expected 4", id="hole"
    ),
    pytest.param(container({"a": entry([1], 0, 4)}, bytes(9)), "not fully covered", id="bytes left over"),
    pytest.param(container({"a": entry([-1], 0, 4)}, bytes(4)), "'a': expected whole numbers", id="negative size"),
    pytest.param(container({"a": entry([1], 4, 0)}, bytes(4)), "'a'.*offsets", id="falling offsets"),
    pytest.param(container({"a": entry([1], 0, 4, "F31")}, bytes(4)), "'a': expected dtype.*F31", id="dtype"),
    pytest.param(container({"a": entry([1], 0, 8, "C64")}, bytes(8)), "'a': expected dtype.*C64", id="complex"),
    pytest.param(container({"a": entry([2], 0, 1, "F4")}, bytes(1)), "'a': expected dtype.*F4", id="four bits"),
    pytest.param(container({"a": [1]}, bytes(4)), "JSON", id="no object"),
    pytest.param(container([1]), "JSON", id="a list"),
    pytest.param(container(b'{"a": NaN}'), "JSON", id="NaN in the header"),
    pytest.param(container(b"[" * 100_000), "JSON", id="deep nesting"),
    pytest.param(container(b'{"a": 1, "a": 2}'), "JSON", id="a name twice"),
    pytest.param(container(b"\xff\xfe"), "UTF-8", id="not UTF-8"),
]


@pytest.mark.parametrize(("content", "expected"), HEADERS)
def test_a_hostile_safetensors_header_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    refuse(tmp_path / "bad.safetensors", content, expected)


def test_a_safetensors_file_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.safetensors", tmp_path / "cut.safetensors"
    save_checkpoint({"a": torch.arange(3.0), "b": torch.ones(1, dtype=torch.int64)}, whole)
    content = whole.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"cut\.safetensors"):
            load_checkpoint(path)


@FEWER
@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_changed_byte_is_refused_or_changes_only_values(tmp_path: Path, position: int, value: int) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint({"a": torch.arange(3.0), "b": torch.ones(2, 2)}, path)
    content = bytearray(path.read_bytes())
    content[position % len(content)] = value
    path.write_bytes(bytes(content))
    loaded, refusal = attempt(load_checkpoint, path)
    if refusal:
        assert "a.safetensors" in refusal
    else:
        assert sum(tensor.numel() * tensor.element_size() for tensor in loaded.values()) == 28


ENTRIES = st.dictionaries(
    st.text(max_size=6),
    st.fixed_dictionaries(
        {
            "dtype": st.sampled_from(["F32", "BOOL", "F64", "X"]),
            "shape": st.lists(st.integers(-1, 4) | st.integers(0, 2**70), max_size=3),
            "data_offsets": st.lists(st.integers(-1, 40), min_size=1, max_size=3),
        }
    )
    | st.none(),
    max_size=4,
).map(lambda entries: json.dumps(entries).encode())


@FEWER
@given(st.binary(max_size=200) | ENTRIES, st.integers(0, 64))
def test_any_header_is_accepted_or_refused_with_its_file(tmp_path: Path, header: bytes, data_bytes: int) -> None:
    path = tmp_path / "some.safetensors"
    path.write_bytes(container(header, bytes(data_bytes)))
    loaded, refusal = attempt(load_checkpoint, path)
    assert "some.safetensors" in refusal if refusal else set(loaded) == set(json.loads(header))
    if not refusal:  # whatever is read here, the format's own library reads too, and as the same
        assert state_hash(safetensors.torch.load(path.read_bytes())) == state_hash(loaded)


def test_a_name_given_twice_counts_once(tmp_path: Path) -> None:
    path, text = tmp_path / "a.safetensors", json.dumps(entry([1], 0, 4))
    path.write_bytes(container(f'{{"a": {text}, "a": {text}}}'.encode(), bytes(4)))
    assert {name: tensor.tolist() for name, tensor in load_checkpoint(path).items()} == {"a": [0.0]}
    second = json.dumps(entry([1], 4, 8))
    refuse(path, container(f'{{"a": {text}, "a": {second}}}'.encode(), bytes(8)), "offset")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_finiteness_is_asked_for_not_assumed(tmp_path: Path, value: float) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint({"fine": torch.ones(2), "head.weight": torch.tensor([1.0, value])}, path)
    assert len(load_checkpoint(path)) == 2
    with pytest.raises(CheckpointError, match=r"a\.safetensors: tensor 'head\.weight' holds NaN or Inf"):
        load_checkpoint(path, require_finite=True)


class Command:
    """Runs a command when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.canary}",)


@pytest.mark.parametrize("form", ["zip", "legacy", *range(6)])
def test_a_pickle_that_runs_a_command_is_refused_and_never_runs(tmp_path: Path, form: str | int) -> None:
    path, canary = tmp_path / "evil.pt", tmp_path / "canary"
    if isinstance(form, int):
        path.write_bytes(pickle.dumps({"a": Command(canary)}, protocol=form))
    else:
        torch.save({"a": Command(canary)}, path, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(CheckpointError, match=r"evil\.pt.*would run code.*system"):
        load_checkpoint(path)
    assert not canary.exists()


def test_code_of_torch_itself_is_refused(tmp_path: Path) -> None:
    content = b"ctorch.hub\nload\n(S'x'\nS'y'\ntR."
    refuse(tmp_path / "hub.pt", content, r"would run code \(torch\.hub\.load\)")


@pytest.mark.parametrize("suffix", [".safetensors", ".pt", ".pth"])
@pytest.mark.parametrize("content", [b"", b"<html>no</html>", b"\0" * 40, b"PK\x03\x04" + b"x" * 40, b"hello"])
def test_what_is_no_weights_file_is_refused(tmp_path: Path, suffix: str, content: bytes) -> None:
    refuse(tmp_path / f"a{suffix}", content, "a" + suffix)


def test_a_legacy_zip_cut_anywhere_is_refused(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.pt", tmp_path / "cut.pt"
    torch.save({"a": torch.ones(1)}, whole)
    content = whole.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        with pytest.raises(CheckpointError, match=r"cut\.pt"):
            load_checkpoint(path)


def test_a_packed_gigabyte_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.pt"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("archive/data.pkl", "w") as member,
    ):
        for _ in range(64):
            member.write(bytes(2**20))
    with pytest.raises(CheckpointError, match=r"bomb\.pt.*packed"):
        load_checkpoint(path)


def test_a_tensor_expanded_beyond_its_data_is_refused(tmp_path: Path) -> None:
    torch.save({"big": torch.zeros(1).expand(10**6, 10**6)}, tmp_path / "expand.pt")
    with pytest.raises(CheckpointError, match=r"expand\.pt.*'big'.*larger than its stored data"):
        load_checkpoint(tmp_path / "expand.pt")


def test_legacy_files_come_back_whole(tmp_path: Path) -> None:
    state = network().state_dict()
    torch.save({"epoch": 3, "state_dict": state}, tmp_path / "wrapped.pth")
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    for name in ("wrapped.pth", "old.pt"):
        assert state_hash(load_checkpoint(tmp_path / name)) == state_hash(state)


def test_a_pickle_of_something_else_says_what_it_holds(tmp_path: Path) -> None:
    torch.save([torch.ones(1)], tmp_path / "list.pt")
    with pytest.raises(CheckpointError, match=r"list\.pt.*expected a state dict.*list"):
        load_checkpoint(tmp_path / "list.pt")


def test_unknown_endings_and_absent_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    for name in ("a.txt", "absent.safetensors"):
        with pytest.raises(CheckpointError, match=name):
            load_checkpoint(tmp_path / name)


def test_load_into_strips_the_prefix_and_follows_the_dtype() -> None:
    state = {f"module.{name}": tensor for name, tensor in network().double().state_dict().items()}
    target = network()
    nn.init.zeros_(next(target.parameters()))
    load_into(target, state, "mine")
    assert state_hash(target.state_dict()) == state_hash(network().state_dict())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda state: state.pop("3.weight"), r"mine: layer '3\.weight' is missing"),
        (lambda state: state.update(other=torch.ones(1)), "mine: layer 'other' does not belong"),
        (lambda state: state.update({"3.bias": torch.ones(7)}), r"mine: layer '3\.bias'.*\(2,\), got \(7,\)"),
        (lambda state: state.clear(), "missing"),
        (lambda state: state.update({"x" * 400: torch.ones(1)}), r"^mine: layer 'x{77}\.\.\.' does not belong"),
        (lambda state: state.update({"3.bias": [1.0, 2.0]}), r"mine: layer '3\.bias': expected a tensor, got list"),
        (lambda state: state.update({3: torch.ones(1)}), "expected texts as layers' names, got int"),
        (
            lambda state: state.update({"3.bias": torch.tensor([1.0, 1e300], dtype=torch.float64)}),
            r"mine: layer '3\.bias': 1e\+300 is more than torch\.float32 holds",
        ),
    ],
)
def test_load_into_names_the_layer_that_does_not_fit(change: Any, expected: str) -> None:
    state, target = dict(network().state_dict()), network()
    change(state)
    before = state_hash(target.state_dict())
    with pytest.raises(CheckpointError, match=expected):
        load_into(target, state, "mine")
    assert state_hash(target.state_dict()) == before


def test_of_tied_layers_one_is_enough_and_others_must_agree() -> None:
    source, target = Tied(), Tied()
    state = source.state_dict()
    for left_out in ("first.weight", "second.weight"):
        load_into(target, {name: value for name, value in state.items() if name != left_out}, "mine")
        assert state_hash(target.state_dict()) == state_hash(state)
    load_into(target, {**state, "second.weight": state["second.weight"].double()}, "mine")
    untied = {**state, "second.weight": state["second.weight"] + 1}
    with pytest.raises(CheckpointError, match=r"mine: layer 'second.weight': .* 'first.weight', to which it is tied"):
        load_into(target, untied, "mine")
    with pytest.raises(CheckpointError, match=r"mine: layer 'first.weight' is missing \(2 of 5 are\)"):
        load_into(
            target, {name: value for name, value in state.items() if not name.startswith(("first", "second"))}, "mine"
        )
    assert state_hash(target.state_dict()) == state_hash(state)


def test_the_header_alone_tells_how_many_numbers_there_are(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_checkpoint({"w": torch.ones(3, 4).half(), "b": torch.ones(5).half(), "n": torch.tensor(7)}, path)
    assert floats_in(path) == (17, 2)
    assert stored_dtypes(path) == {torch.float16}
    (tmp_path / "b.pt").write_bytes(bytes(40))
    assert floats_in(tmp_path / "b.pt") == (10, 4)
    with pytest.raises(CheckpointError, match=r"c\.safetensors: could not be read"):
        floats_in(tmp_path / "c.safetensors")
