"""The user's own data set: an ``.npz`` file of plain arrays. Pickled objects are never read."""

import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from softmerge_core.data.base import MAX_CLASSES, SPLITS, Arrays, Data, check_labels, check_split, to_data
from softmerge_core.data.limits import HOW, MAX_BYTES
from softmerge_core.data.scaling import check_scale
from softmerge_core.errors import DataError, short

MAX_MEMBERS = 1000
CHUNK = 1 << 20  # bytes unpacked at a time
REQUIRED = ("train_inputs", "train_labels", "validation_inputs", "validation_labels")
TEXTS = ("class_names", "origin")
WANTED = (*(f"{split}_{part}" for split in SPLITS for part in ("inputs", "labels")), "classes", "mean", "sd", *TEXTS)
LONGEST = {"class_names": 100, "origin": 1000}  # letters
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # what numpy writes; the others unpack any amount at a time


def load_data_file(path: str | Path) -> Data:
    """Return the data set in an ``.npz`` file.

    Required arrays: numbers ``train_inputs`` [N, ...] and integers ``train_labels`` [N], and the same for validation.
    Optional arrays: ``test_inputs`` and ``test_labels`` (without them the model is tested on the validation samples,
    and the title says so), and ``classes``, the number of classes (by default the largest training label + 1).
    With ``mean`` and ``sd`` [C], for each channel or column, inputs become (x - mean) / sd; stored they may be uint8.
    ``class_names`` [classes] and ``origin`` (where the data are from) are texts for readers.
    Raises DataError, which names the file and says what is wrong with it.
    """
    arrays, classes = check_data_file(path)
    title = Path(path).stem + ("" if "test_inputs" in arrays else " (tested on its validation samples)")
    for part in ("inputs", "labels"):
        arrays.setdefault(f"test_{part}", arrays[f"validation_{part}"])
    return to_data(str(path), title, classes, arrays)


def check_data_file(path: str | Path, name: str = "") -> tuple[Arrays, int]:
    """Return the arrays of an ``.npz`` file and the number of classes, all checked, without loading torch.

    Other arrays in the file are not read. Raises DataError, which says what is wrong with the file and calls it
    ``name``, by default its own name.
    """
    what = f"data file {short(name or Path(path).name)!r}"
    try:
        return _checked(Path(path), what)
    except DataError:
        raise
    except Exception as error:  # zipfile, its decompressors and numpy's header parser raise over a dozen types
        reason = error.strerror if isinstance(error, OSError) else str(error)
        told = short(reason or type(error).__name__, 200)
        raise DataError(f"{what}: expected an .npz of plain arrays, got: {told}") from error


def _checked(path: Path, what: str) -> tuple[Arrays, int]:
    arrays = _read(path, what)
    splits = [split for split in SPLITS if f"{split}_inputs" in arrays]
    for split in splits:
        _check_dtypes(what, split, arrays)
        check_split(what, split, arrays[f"{split}_inputs"], arrays[f"{split}_labels"])
        expected, got = arrays["train_inputs"].shape[1:], arrays[f"{split}_inputs"].shape[1:]
        if expected != got:
            raise DataError(f"{what}: expected {split}_inputs of shape {expected} per sample, got {got}")
    classes = _classes(what, arrays)
    for split in splits:
        check_labels(what, split, arrays[f"{split}_labels"], classes)
    check_scale(what, arrays)
    _check_texts(what, arrays, classes)
    return arrays, classes


def _check_dtypes(what: str, split: str, arrays: Arrays) -> None:
    inputs, labels = arrays[f"{split}_inputs"], arrays[f"{split}_labels"]
    if inputs.dtype.kind not in "fiu" or inputs.ndim < 2 or not all(inputs.shape[1:]):
        raise DataError(
            f"{what}: expected {split}_inputs to be numbers of shape (samples, ...), got {inputs.dtype} {inputs.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise DataError(f"{what}: expected {split}_labels of an integer type, got {labels.dtype}")


def _check_texts(what: str, arrays: Arrays, classes: int) -> None:
    for key in (key for key in TEXTS if key in arrays):
        texts, shape = arrays[key], (classes,) if key == "class_names" else ()
        if texts.dtype.kind != "U" or texts.shape != shape:
            raise DataError(f"{what}: expected {key} to be text of shape {shape}, got {texts.dtype} {texts.shape}")
        for text in texts.reshape(-1).tolist():
            if not text.strip() or not text.isprintable() or len(text) > LONGEST[key]:
                wanted = f"printable text of 1 to {LONGEST[key]} letters"
                raise DataError(f"{what}: expected {key} to be {wanted}, got {short(text)!r}")


def _classes(what: str, arrays: Arrays) -> int:
    if "classes" not in arrays and "class_names" in arrays:
        return int(arrays["class_names"].size)
    if "classes" not in arrays:
        check_labels(what, "train", arrays["train_labels"], MAX_CLASSES)
        return int(arrays["train_labels"].max()) + 1
    given = arrays["classes"]
    if given.dtype.kind not in "iu" or given.size != 1 or not 1 <= int(given.reshape(-1)[0]) <= MAX_CLASSES:
        got = given.reshape(-1)[0] if given.size == 1 else f"{given.dtype} {given.shape}"
        raise DataError(f"{what}: expected 'classes' to be one whole number of 1 to {MAX_CLASSES:,}, got {got}")
    return int(given.reshape(-1)[0])


def _read(path: Path, what: str) -> Arrays:
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            return _members(archive, what)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
        raise DataError(f"{what}: expected an .npz file, found none") from error


def _members(archive: zipfile.ZipFile, what: str) -> Arrays:
    """Return the arrays that are wanted; what they will take is counted before any of them is unpacked."""
    members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
    if len(members) > MAX_MEMBERS:
        raise DataError(f"{what}: expected at most {MAX_MEMBERS:,} arrays, got {len(members):,}")
    wanted = {key: members[key] for key in members if key in WANTED}
    total = sum(info.file_size for info in wanted.values())
    if total > MAX_BYTES:
        raise DataError(f"{what}: expected at most {MAX_BYTES:,} bytes of arrays, got {total:,}; {HOW}")
    arrays: Arrays = {}
    left = MAX_BYTES
    for key, info in wanted.items():
        if info.compress_type not in PACKED:
            raise DataError(f"{what}: {key} is packed by compression method {info.compress_type}; expected 0 or 8")
        with archive.open(info) as member:
            arrays[key] = _array(key, info, member, left, what)
        left -= _as_tensor(key, arrays[key].size, arrays[key].itemsize)
    _check_complete(arrays, list(members), what)
    return arrays


def _check_complete(arrays: Arrays, names: list[str], what: str) -> None:
    missing = [key for key in REQUIRED if key not in arrays]
    if not missing and ("test_inputs" in arrays) != ("test_labels" in arrays):
        missing = ["test_inputs" if "test_labels" in arrays else "test_labels"]
    if missing:
        got = short(", ".join(repr(name[:40])[1:-1] for name in sorted(names)[:10]), 200)
        raise DataError(f"{what}: missing array {missing[0]!r}; got: {got or 'nothing'}")


def _as_tensor(key: str, count: int, itemsize: int) -> int:
    """Return the bytes that an array takes, as it is or as a tensor: float32 inputs, int64 labels."""
    return count * max(itemsize, 4 if key.endswith("inputs") else 8)


def _array(key: str, info: zipfile.ZipInfo, member: IO[bytes], left: int, what: str) -> np.ndarray:
    """Return one array; what its header claims is compared with ``left`` and with the bytes that are there first."""
    shape, fortran, dtype = _header(key, member, what)
    if dtype.hasobject:
        raise DataError(f"{what}: array {key!r} holds Python objects, which are never loaded")
    if dtype.kind not in ("U" if key in TEXTS else "biuf"):
        got = short(f"{dtype} {shape}")
        raise DataError(f"{what}: expected {key} to be {_kind(key)}, got {got}")
    count = 1
    for size in shape:
        count *= size
    if min(shape, default=1) < 0 or count * dtype.itemsize > info.file_size:
        claim = short(f"{shape} of {dtype}")
        raise DataError(f"{what}: array {key!r} claims shape {claim}, more than its {info.file_size:,} bytes")
    if _as_tensor(key, count, dtype.itemsize) > left:
        raise DataError(f"{what}: expected at most {MAX_BYTES:,} bytes of tensors, {key} would take more; {HOW}")
    raw = np.empty(count * dtype.itemsize, np.uint8)
    _fill(raw.data, member, key, what)
    return raw.view(dtype).reshape(shape, order="F" if fortran else "C") if raw.size else np.empty(shape, dtype)


def _kind(key: str) -> str:
    return "text" if key in TEXTS else "numbers of shape (samples, ...)"


def _header(key: str, member: IO[bytes], what: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    version = np.lib.format.read_magic(member)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    try:
        return read_header(member)
    except ValueError as error:
        if "max_header_size" in str(error):  # numpy would advise to trust the file
            raise DataError(f"{what}: the header of array {key!r} is too long") from error
        raise


def _fill(values: memoryview, member: IO[bytes], key: str, what: str) -> None:
    """Unpack exactly as many bytes as ``values`` holds, a little at a time."""
    at = 0
    while at < len(values):
        piece = member.read(min(CHUNK, len(values) - at))
        if not piece:
            raise DataError(f"{what}: array {key!r} ends after {at:,} of its {len(values):,} bytes")
        values[at : at + len(piece)] = piece
        at += len(piece)
