"""A data set of the user's own is loaded, or refused with the reason and the name of the file."""

import contextlib
import io
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softmerge_core.data import check_data, check_data_file, load_data, load_data_file
from softmerge_core.errors import DataError
from softmerge_core.settings import DataSpec


def arrays(samples: int = 6, classes: int = 3) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for split in ("train", "validation", "test"):
        made[f"{split}_inputs"] = np.arange(samples * 4, dtype=np.float64).reshape(samples, 2, 2)
        made[f"{split}_labels"] = np.arange(samples) % classes
    return made


def write(path: Path, **changes: Any) -> Path:
    """A data file whose arrays are changed; None leaves one out."""
    content = {key: value for key, value in (arrays() | changes).items() if value is not None}
    np.savez(path, **content)
    return path


def test_a_good_file(tmp_path: Path) -> None:
    data = load_data_file(write(tmp_path / "mine.npz"))
    check_data(data)
    assert (data.classes, data.input_shape, data.title) == (3, (2, 2), "mine")
    assert data.train_inputs.dtype == torch.float32
    assert torch.equal(data.test_labels, torch.tensor([0, 1, 2, 0, 1, 2]))


def test_through_a_spec_with_a_limit(tmp_path: Path) -> None:
    data = load_data(DataSpec(dataset=str(write(tmp_path / "mine.npz")), train_samples=2))
    assert len(data.train_labels) == 2


def test_without_a_test_set_validation_stands_in_and_the_title_says_so(tmp_path: Path) -> None:
    data = load_data_file(write(tmp_path / "mine.npz", test_inputs=None, test_labels=None))
    assert torch.equal(data.test_inputs, data.validation_inputs)
    assert "validation" in data.title


@pytest.mark.parametrize("compressed", [np.savez, np.savez_compressed])
def test_fortran_order_and_compression(tmp_path: Path, compressed: Any) -> None:
    inputs = np.asfortranarray(np.arange(24, dtype=np.float32).reshape(6, 4))
    content = arrays() | {f"{split}_inputs": inputs for split in ("train", "validation", "test")}
    compressed(tmp_path / "mine.npz", **content)
    assert np.array_equal(load_data_file(tmp_path / "mine.npz").train_inputs.numpy(), inputs)


def test_classes_may_be_given(tmp_path: Path) -> None:
    assert load_data_file(write(tmp_path / "a.npz", classes=np.array(9))).classes == 9


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"train_inputs": None}, "missing array 'train_inputs'"),
        ({"validation_labels": None}, "missing array 'validation_labels'"),
        ({"test_labels": None}, "missing array 'test_labels'"),
        ({"train_labels": np.zeros(6)}, "train_labels of an integer type, got float64"),
        ({"train_inputs": np.array([["a"]] * 6)}, "train_inputs to be numbers"),
        ({"train_inputs": np.zeros(6)}, "train_inputs to be numbers of shape"),
        ({"train_labels": np.array([0, 1, 2, -1, 0, 1])}, "train_labels .*got -1 at index 3"),
        ({"validation_labels": np.array([0, 1, 3, 0, 0, 1])}, r"validation_labels in 0\.\.2, got 3 at index 2"),
        ({"classes": np.array(2)}, r"train_labels in 0\.\.1, got 2 at index 2"),
        ({"classes": np.array(0.5)}, "'classes' to be one whole number"),
        ({"train_labels": np.zeros(5, int)}, r"train_labels of shape \(6,\)"),
        ({"test_inputs": np.zeros((6, 3))}, r"test_inputs of shape \(2, 2\) per sample, got \(3,\)"),
        (
            {"validation_inputs": np.zeros((0, 2, 2)), "validation_labels": np.zeros(0, int)},
            "no validation data",
        ),
        ({"train_inputs": np.full((6, 2, 2), np.nan)}, "finite train_inputs, got NaN or Inf in sample 0"),
        (
            {"test_inputs": np.full((6, 2, 2), 1e300)},
            "finite test_inputs, got more than a 32-bit float holds in sample 0",
        ),
        ({"train_inputs": np.zeros((6, 0))}, r"train_inputs to be numbers of shape \(samples, ...\), got .* \(6, 0\)"),
        ({"train_labels": np.array([0, 1, 2, 10**8, 0, 1])}, r"train_labels in 0\.\.99999, got 100000000 at index 3"),
        ({"classes": np.array(10**8)}, "'classes' to be one whole number of 1 to 100,000, got 100000000"),
        ({"classes": np.arange(10**4)}, r"'classes' to be one whole number of 1 to 100,000, got int64 \(10000,\)$"),
        ({"train_inputs": None, "x" * 60_000: np.zeros(1)}, r"missing array 'train_inputs'; got: .{0,200}$"),
        ({"mean": np.zeros(2)}, "'mean' and 'sd' together, got only 'mean'"),
        ({"mean": np.zeros(3), "sd": np.ones(3)}, r"mean to be 2 numbers, .* got float64 \(3,\)"),
        ({"mean": np.zeros(2), "sd": np.array([1, 0])}, "SDs above 0"),
        ({"mean": np.zeros(2), "sd": np.array([1, -1])}, "SDs above 0"),
        ({"mean": np.array([0, np.nan]), "sd": np.ones(2)}, "expected finite means"),
        ({"mean": np.zeros(2), "sd": np.array([1, 1e300])}, "expected finite means"),
        ({"mean": np.zeros(2), "sd": np.array([1, 1e-45])}, "train_inputs divided by 'sd' are more than"),
        ({"class_names": np.array(["a", "b"])}, r"train_labels in 0\.\.1, got 2"),
        ({"class_names": np.array(["a", "b"]), "classes": np.array(3)}, r"class_names to be text of shape \(3,\)"),
        ({"class_names": np.array(["a", " ", "c"])}, "class_names to be printable text of 1 to 100 letters, got ''"),
        ({"class_names": np.array(["a", "b\n", "c"])}, "class_names to be printable text"),
        ({"class_names": np.array(["a", "x" * 101, "c"])}, "class_names to be printable text"),
        ({"class_names": np.arange(3)}, "class_names to be text"),
        ({"class_names": np.array([b"a", b"b", b"c"])}, "class_names to be text"),
        ({"class_names": np.array(["a", "b", "c"], dtype=object)}, "Python objects"),
        ({"origin": np.array(["a", "b"])}, r"origin to be text of shape \(\), got <U1 \(2,\)"),
    ],
)
def test_bad_arrays_are_named_with_the_file(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        load_data_file(write(tmp_path / "mine.npz", **changes))
    assert "mine.npz" in str(caught.value)


def test_images_stay_small_on_disk_and_are_normalised_by_channel_when_loaded(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 2, 4, 5)).astype(np.uint8)
    splits = {f"{split}_inputs": images for split in ("train", "validation", "test")}
    mean, sd = np.array([100.0, 120.0], np.float32), np.array([50.0, 60.0], np.float32)
    path = write(tmp_path / "mine.npz", **splits, mean=mean, sd=sd)
    expected = (images - mean[:, None, None]) / sd[:, None, None]
    assert np.allclose(load_data_file(path).train_inputs.numpy(), expected, atol=1e-6)
    assert path.stat().st_size < 3 * images.nbytes + 4000
    rows = {f"{split}_inputs": images.reshape(6, -1)[:, :2] for split in ("train", "validation", "test")}
    path = write(tmp_path / "rows.npz", **rows, mean=mean, sd=sd)
    assert np.allclose(load_data_file(path).test_inputs.numpy(), (images.reshape(6, -1)[:, :2] - mean) / sd, atol=1e-6)


def test_names_of_classes_tell_how_many_there_are(tmp_path: Path) -> None:
    assert load_data_file(write(tmp_path / "a.npz", class_names=np.array(["cat", "dog", "Größe", "none"]))).classes == 4


def test_text_that_is_no_text_is_a_typed_error(tmp_path: Path) -> None:
    names = np.frombuffer(b"\xff" * 12, "<U1")  # beyond the last letter of Unicode
    with pytest.raises(DataError, match=r"mine\.npz"):
        check_data_file(write(tmp_path / "mine.npz", class_names=names))


class Canary:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    content = arrays() | {"train_labels": np.array([Canary(canary)] * 6, dtype=object)}
    np.savez(tmp_path / "mine.npz", **content)
    with pytest.raises(DataError, match="Python objects"):
        load_data_file(tmp_path / "mine.npz")
    (tmp_path / "raw.npz").write_bytes(pickle.dumps(Canary(canary)))
    with pytest.raises(DataError):
        load_data_file(tmp_path / "raw.npz")
    assert not canary.exists()


def test_a_header_that_claims_too_much_is_refused_before_memory_is_taken(tmp_path: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (2**40, 2**20)})
    with zipfile.ZipFile(tmp_path / "mine.npz", "w") as archive:
        archive.writestr("train_inputs.npy", header.getvalue())
    with pytest.raises(DataError, match="claims"):
        load_data_file(tmp_path / "mine.npz")


def test_a_file_of_gigabytes_of_zeros_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softmerge_core.data.files.MAX_BYTES", 1000)
    np.savez_compressed(tmp_path / "mine.npz", **arrays() | {"train_inputs": np.zeros((10_000, 1))})
    with pytest.raises(DataError, match="at most 1,000 bytes of arrays, got"):
        load_data_file(tmp_path / "mine.npz")


def test_what_becomes_gigabytes_as_tensors_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softmerge_core.data.files.MAX_BYTES", 2000)
    np.savez_compressed(tmp_path / "mine.npz", **arrays() | {"train_inputs": np.zeros((600, 1), np.uint8)})
    with pytest.raises(DataError, match=r"at most 2,000 bytes of tensors, train_inputs would take more"):
        load_data_file(tmp_path / "mine.npz")


def test_only_the_wanted_arrays_are_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softmerge_core.data.files.MAX_BYTES", 2000)
    np.savez_compressed(tmp_path / "mine.npz", **arrays(), extra=np.zeros(10_000))
    assert load_data_file(tmp_path / "mine.npz").classes == 3


def test_many_arrays_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("softmerge_core.data.files.MAX_MEMBERS", 5)
    with pytest.raises(DataError, match="at most 5 arrays, got 6"):
        load_data_file(write(tmp_path / "mine.npz"))


def test_no_advice_to_trust_a_file_is_passed_on(tmp_path: Path) -> None:
    (tmp_path / "mine.npz").write_bytes(array_with(" " * 30_000))
    with pytest.raises(DataError, match=r"header of array 'train_inputs' is too long$"):
        load_data_file(tmp_path / "mine.npz")


@pytest.mark.parametrize("name", ["n" * 300 + ".npz", "\ud800.npz", "a\0b.npz", "x/" * 3000 + ".npz"])
def test_a_path_that_no_system_takes_is_a_typed_error_in_printable_words(name: str) -> None:
    with pytest.raises(DataError, match="data file") as caught:
        load_data_file(name)
    assert len(str(caught.value).encode()) < 400


def zipped(content: bytes, method: int = zipfile.ZIP_STORED) -> bytearray:
    """The bytes of an archive with one member."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr(MEMBER, content)
    return bytearray(made.getvalue())


def array_with(header: str) -> bytearray:
    """An archive with one array of eight bytes under a header that numpy did not write."""
    padded = header.encode() + b"\n"
    return zipped(np.lib.format.magic(1, 0) + struct.pack("<H", len(padded)) + padded + bytes(8))


def relabelled(at: int, value: int) -> bytearray:
    """A sound archive with another 16-bit field ``at`` in both of its headers (PKWARE APPNOTE, 4.3.7 and 4.3.12)."""
    made = zipped(SOUND)
    for place in (at, made.index(b"PK\x01\x02") + at + 2):
        struct.pack_into("<H", made, place, value)
    return made


def garbled(method: int) -> bytearray:
    """An archive whose one compressed member is damaged in its middle."""
    made = zipped(SOUND, method)
    first = 30 + len(MEMBER)
    made[first + 12 : first + 30] = b"\xff" * 18
    return made


MEMBER = "train_inputs.npy"
_SOUND = io.BytesIO()
np.save(_SOUND, np.arange(400.0))
SOUND = _SOUND.getvalue()
DAMAGED = {
    "encrypted": (relabelled(6, 0x01), "encrypted"),  # RuntimeError
    "patched": (relabelled(6, 0x20), "patched data"),  # NotImplementedError
    "strongly encrypted": (relabelled(6, 0x40), "strong encryption"),  # NotImplementedError
    "unknown compression": (relabelled(8, 99), "compression method"),  # NotImplementedError
    "later zip": (relabelled(4, 99), "zip file version 9.9"),  # NotImplementedError
    "deflate": (garbled(zipfile.ZIP_DEFLATED), "decompressing data"),  # zlib.error
    "bzip2": (garbled(zipfile.ZIP_BZIP2), "compression method 12"),  # would unpack any amount at a time
    "lzma": (garbled(zipfile.ZIP_LZMA), "compression method 14"),
    "checksum": (zipped(SOUND).replace(bytes(8), b"8 others", 1), "CRC-32"),  # BadZipFile
    "no zip": (bytearray(b"PK but no zip"), "not a zip file"),  # BadZipFile
    "half a header": (zipped(SOUND[:40]), "EOF: reading array header"),  # ValueError
    "empty member": (zipped(b""), "EOF: reading magic string"),  # ValueError
    "no header": (array_with("1"), "Header is not a dictionary"),  # ValueError
    "deep header": (array_with("-" * 9000 + "1"), "MemoryError|RecursionError|recursion|nested"),
    "open string": (array_with("'''"), "multi-line string|unterminated"),  # tokenize.TokenError
    "list as a key": (array_with("{[]: 1}"), "unhashable|cannot use"),  # TypeError
    "keys of two types": (array_with("{1: 2, 'a': 3}"), "'<' not supported"),  # TypeError
    "no type": (array_with("{'descr': (), 'fortran_order': False, 'shape': (1,)}"), "index out of range"),  # IndexError
    "type of no bytes": (array_with("{'descr': '<V0', 'fortran_order': False, 'shape': (1,)}"), "to be numbers"),
    "huge shape": (array_with(f"{{'descr': '<f8', 'fortran_order': False, 'shape': (0, {2**70})}}"), "dimension"),
    "truth as a shape": (
        array_with("{'descr': '<f8', 'fortran_order': False, 'shape': (True,)}"),
        "integer is required",
    ),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_every_kind_of_damage_gives_an_error_that_names_the_file(tmp_path: Path, damage: str) -> None:
    content, message = DAMAGED[damage]
    (tmp_path / "mine.npz").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        load_data_file(tmp_path / "mine.npz")
    assert "mine.npz" in str(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("odd"), NotImplementedError("odd"), zipfile.BadZipFile("odd"), EOFError("odd"), zlib.error("odd"),
        OverflowError("odd"), MemoryError("odd"), struct.error("odd"), RecursionError("odd"), KeyError("odd"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_whatever_the_libraries_raise_becomes_the_typed_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(_: object) -> None:
        raise error

    path = write(tmp_path / "mine.npz")
    monkeypatch.setattr(np.lib.format, "read_magic", refuse)
    with pytest.raises(DataError, match=r"mine\.npz.*odd") as caught:
        load_data_file(path)
    assert caught.value.__cause__ is error


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="found none"):
        load_data_file(tmp_path / "none.npz")


SMALL = {"train_inputs": np.zeros((3, 2)), "validation_inputs": np.zeros((2, 2), np.float32), "classes": np.array(2)}
SMALL |= {"train_labels": np.array([0, 1, 0], np.uint8), "validation_labels": np.array([0, 1])}


def small(save: Any) -> bytes:
    made = io.BytesIO()
    save(made, **SMALL)
    return made.getvalue()


WHOLE = [small(np.savez), small(np.savez_compressed)]
MUTATIONS = st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=4), st.integers(0, 4)), min_size=1, max_size=4)


@settings(max_examples=3 * settings().max_examples)  # 300, and 3,000 in `make fuzz`
@given(whole=st.sampled_from(WHOLE), mutations=MUTATIONS)
def test_hundreds_of_mutated_files_give_the_typed_error_or_load(
    tmp_path: Path, whole: bytes, mutations: list[tuple[float, bytes, int]]
) -> None:
    for where, put, drop in mutations:
        at = int(where * len(whole))
        whole = whole[:at] + put + whole[at + drop :]
    (tmp_path / "mine.npz").write_bytes(whole)
    refusal = ""
    try:
        check_data_file(tmp_path / "mine.npz")
    except DataError as error:
        refusal = str(error)
    assert not refusal or ("mine.npz" in refusal and len(refusal) < 500)


@given(cut=st.integers(0, 10_000), junk=st.binary(max_size=20))
def test_damaged_files_give_a_typed_error_or_load(
    cut: int, junk: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    whole = write(folder / "mine.npz").read_bytes()
    position = cut % len(whole)
    (folder / "mine.npz").write_bytes(whole[:position] + junk + whole[position + len(junk) :])
    with contextlib.suppress(DataError):
        load_data_file(folder / "mine.npz")
    (folder / "cut.npz").write_bytes(whole[:position])
    with pytest.raises(DataError, match=r"cut\.npz"):
        load_data_file(folder / "cut.npz")
