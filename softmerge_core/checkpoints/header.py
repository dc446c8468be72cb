"""A validator of safetensors headers that trusts nothing: every size is checked before any tensor is made.

Format: 8 bytes little-endian header length, a JSON header ``{name: {dtype, shape, data_offsets}}``, the data
(https://github.com/huggingface/safetensors#format).
"""

import json
import math
from pathlib import Path
from typing import Any, NoReturn

from softmerge_core.errors import CheckpointError

MAX_HEADER_BYTES = 32 * 2**20
MAX_TENSORS = 100_000
MAX_DIMENSIONS = 16
MAX_NAME = 512
ITEM_BYTES = {
    "BOOL": 1,
    "U8": 1,
    "I8": 1,
    "F16": 2,
    "BF16": 2,
    "I16": 2,
    "U16": 2,
    "F32": 4,
    "I32": 4,
    "U32": 4,
    "F64": 8,
    "I64": 8,
    "U64": 8,
}


def validate_file(path: Path) -> int:
    """Check a safetensors file without loading it; returns how many tensors it holds.

    Raises CheckpointError naming the file and, where there is one, the tensor.
    """
    size = path.stat().st_size
    if size < 8:
        raise CheckpointError(f"{path.name}: expected a safetensors file, got {size} bytes")
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > MAX_HEADER_BYTES or length > size - 8:
            raise CheckpointError(_wrong_length(path, length, size))
        header = file.read(length)
    return validate_header(header, size - 8 - length, path.name)


def _wrong_length(path: Path, length: int, size: int) -> str:
    with path.open("rb") as file:
        start = file.read(64).lstrip().lower()
    if start.startswith(b"<"):
        return f"{path.name}: expected a safetensors file, got a web page"
    return f"{path.name}: the header claims {length} bytes of {size}; damaged or not safetensors"


def validate_header(header: bytes, data_bytes: int, what: str) -> int:
    """Check the JSON ``header`` of a file with ``data_bytes`` of data; returns the number of tensors."""
    entries = _parse(header, what)
    entries.pop("__metadata__", None)
    if len(entries) > MAX_TENSORS:
        raise CheckpointError(f"{what}: expected at most {MAX_TENSORS} tensors, got {len(entries)}")
    spans = sorted((*_span(name, entry, what), name) for name, entry in entries.items())
    end = 0
    for start, stop, name in spans:
        if start != end:
            raise CheckpointError(f"{what}: tensor {name!r} begins at byte {start}, expected {end} (overlap or hole)")
        end = stop
    if end != data_bytes:
        raise CheckpointError(f"{what}: the tensors take {end} bytes, but the file holds {data_bytes}")
    return len(entries)


def _parse(header: bytes, what: str) -> dict[str, Any]:
    try:
        entries = json.loads(header.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{what}: the safetensors header is not readable JSON ({error})") from error
    if not isinstance(entries, dict):
        raise CheckpointError(f"{what}: expected the header to be an object, got {type(entries).__name__}")
    return entries


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("a name occurs twice")
    return entries


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def check_name(name: str, what: str) -> None:
    """Raise CheckpointError unless ``name`` can be a layer's name: short, printable, no path."""
    parts = name.replace("\\", "/").split("/")
    if not name or len(name) > MAX_NAME or not name.isprintable() or ".." in parts or parts[0] == "":
        raise CheckpointError(f"{what}: {name[:80]!r} cannot be a layer's name")


def _span(name: str, entry: Any, what: str) -> tuple[int, int]:
    """The checked byte range of one tensor."""
    check_name(name, what)
    where = f"{what}: tensor {name!r}"
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise CheckpointError(f"{where}: expected dtype, shape and data_offsets, got {str(entry)[:80]}")
    width = ITEM_BYTES.get(str(entry["dtype"]))
    if width is None:
        raise CheckpointError(f"{where}: unknown dtype {str(entry['dtype'])[:40]!r}")
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not _naturals(shape) or len(shape) > MAX_DIMENSIONS:
        raise CheckpointError(f"{where}: expected a shape of at most {MAX_DIMENSIONS} sizes, got {str(shape)[:80]}")
    if not _naturals(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
        raise CheckpointError(f"{where}: expected two rising data_offsets, got {str(offsets)[:80]}")
    if math.prod(shape) * width != offsets[1] - offsets[0]:
        got = offsets[1] - offsets[0]
        raise CheckpointError(f"{where}: shape {shape} of {entry['dtype']} does not fit its {got} bytes")
    return offsets[0], offsets[1]


def _naturals(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < 2**63 for value in values)
