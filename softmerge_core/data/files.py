"""The user's own data set: an ``.npz`` file of plain arrays. Pickled objects are never read."""

import zipfile
from pathlib import Path
from typing import IO

import numpy as np

from softmerge_core.data.base import SPLITS, Arrays, Data, check_labels, check_split, to_data
from softmerge_core.errors import DataError

MAX_BYTES = 1 << 30  # the most that all unpacked arrays may take together
REQUIRED = ("train_inputs", "train_labels", "validation_inputs", "validation_labels")


def load_data_file(path: str | Path) -> Data:
    """Return the data set in an ``.npz`` file.

    Required arrays: numbers ``train_inputs`` [N, ...] and integers ``train_labels`` [N], and the same for validation.
    Optional arrays: ``test_inputs`` and ``test_labels`` (without them the model is tested on the validation samples,
    and the title says so), and ``classes``, the number of classes (by default the largest training label + 1).
    Raises DataError, which names the file and says what is wrong with it.
    """
    arrays, classes = check_data_file(path)
    title = Path(path).stem + ("" if "test_inputs" in arrays else " (tested on its validation samples)")
    for part in ("inputs", "labels"):
        arrays.setdefault(f"test_{part}", arrays[f"validation_{part}"])
    return to_data(str(path), title, classes, arrays)


def check_data_file(path: str | Path) -> tuple[Arrays, int]:
    """Return the arrays of an ``.npz`` file and the number of classes, all checked, without loading torch.

    Raises DataError, which names the file and says what is wrong with it.
    """
    arrays = _read(Path(path))
    what = f"data file {str(path)!r}"
    missing = [key for key in REQUIRED if key not in arrays]
    if missing or ("test_inputs" in arrays) != ("test_labels" in arrays):
        missing = missing or ["test_inputs" if "test_labels" in arrays else "test_labels"]
        raise DataError(f"{what}: missing array {missing[0]!r}; got: {', '.join(sorted(arrays)) or 'nothing'}")
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
    return arrays, classes


def _check_dtypes(what: str, split: str, arrays: Arrays) -> None:
    inputs, labels = arrays[f"{split}_inputs"], arrays[f"{split}_labels"]
    if inputs.dtype.kind not in "fiu" or inputs.ndim < 2:
        raise DataError(
            f"{what}: expected {split}_inputs to be numbers of shape (samples, ...), got {inputs.dtype} {inputs.shape}"
        )
    if labels.dtype.kind not in "iu":
        raise DataError(f"{what}: expected {split}_labels of an integer type, got {labels.dtype}")


def _classes(what: str, arrays: Arrays) -> int:
    if "classes" not in arrays:
        check_labels(what, "train", arrays["train_labels"], 2**31)
        return int(arrays["train_labels"].max()) + 1
    given = arrays["classes"]
    if given.dtype.kind not in "iu" or given.size != 1 or int(given.reshape(-1)[0]) < 1:
        raise DataError(f"{what}: expected 'classes' to be one whole number of at least 1, got {given!r}")
    return int(given.reshape(-1)[0])


def _read(path: Path) -> Arrays:
    if not path.is_file():
        raise DataError(f"data file {str(path)!r}: expected an .npz file, found none")
    try:
        with zipfile.ZipFile(path) as archive:
            return _members(path, archive)
    except DataError:
        raise
    except Exception as error:  # zipfile, three decompressors and numpy's header parser raise over a dozen types
        reason = str(error) or type(error).__name__
        raise DataError(f"data file {str(path)!r}: expected an .npz of plain arrays, got: {reason}") from error


def _members(path: Path, archive: zipfile.ZipFile) -> Arrays:
    total = sum(info.file_size for info in archive.infolist())
    if total > MAX_BYTES:
        raise DataError(f"data file {str(path)!r}: expected at most {MAX_BYTES:,} bytes of arrays, got {total:,}")
    arrays = {}
    for info in archive.infolist():
        with archive.open(info) as member:
            arrays[info.filename.removesuffix(".npy")] = _array(info, member)
    return arrays


def _array(info: zipfile.ZipInfo, member: IO[bytes]) -> np.ndarray:
    """Return one array; the size that its header claims is compared with the bytes that are there first."""
    version = np.lib.format.read_magic(member)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read_header(member)
    if dtype.hasobject:
        raise ValueError(f"array {info.filename!r} holds Python objects, which are never loaded")
    count = 1
    for size in shape:
        count *= size
    if min(shape, default=1) < 0 or count * dtype.itemsize > info.file_size:
        raise ValueError(
            f"array {info.filename!r} claims shape {shape} of {dtype}, more than its {info.file_size} bytes"
        )
    values = np.frombuffer(member.read(count * dtype.itemsize), dtype=dtype, count=count)
    return values.reshape(shape, order="F" if fortran else "C")
