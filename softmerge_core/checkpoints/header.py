"""The header of a safetensors file, read and checked before any of its data.

It is 8 bytes with its length, little endian, then JSON: per tensor its type, shape, and where its bytes begin and end.
The bytes must follow each other without a hole and fill the file (https://github.com/huggingface/safetensors#format).
"""

import json
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, NoReturn

from softmerge_core.errors import CheckpointError, short

MAX_HEADER_BYTES = 8 * 2**20
MAX_TENSORS = 20_000
MAX_DIMENSIONS = 16
MAX_SIZE = 2**63  # of one dimension: torch counts in 64 bits
MAX_NAME = 512
METADATA = "__metadata__"  # no tensor: the file's own remarks
SIZES = {
    "BOOL": 1, "U8": 1, "I8": 1, "I16": 2, "U16": 2, "I32": 4, "U32": 4, "I64": 8, "U64": 8,
    "F16": 2, "BF16": 2, "F32": 4, "F64": 8,
}  # fmt: skip
FIELDS = {"dtype", "shape", "data_offsets"}
WEB_PAGE = (b"<!doctype", b"<html", b"<?xml")


@dataclass(frozen=True)
class Entry:
    """One tensor of a file: its type, one of SIZES, and its bytes ``start`` to ``stop`` of the data."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def floats_in(path: str | Path) -> tuple[int, int]:
    """(how many floating-point numbers a weights file holds, bytes of the largest type among them), from its header.

    Of a file that is not safetensors its size tells, as if it held float32 and nothing else. Raises CheckpointError.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if path.suffix.lower() != ".safetensors":
            return size // SIZES["F32"], SIZES["F32"]
        with path.open("rb") as file:
            length = header_length(file.read(64), size, short(path.name))
            file.seek(8)
            entries = read_entries(file.read(length), size - 8 - length, short(path.name))
    except OSError as error:
        raise CheckpointError(f"{short(path.name)}: could not be read ({error.strerror or error})") from error
    found = [entry for entry in entries if "F" in entry.dtype]
    return sum(prod(entry.shape) for entry in found), max((SIZES[entry.dtype] for entry in found), default=4)


def header_length(start: bytes, file_size: int, what: str) -> int:
    """Return the length of the header of a file that begins with ``start``; raises CheckpointError."""
    if len(start) < 8:
        raise CheckpointError(f"{what}: expected a safetensors file, got {len(start)} bytes")
    check_no_web_page(start, what)
    length = int.from_bytes(start[:8], "little")
    if length > MAX_HEADER_BYTES:
        reason = f"its header would be {length:,} bytes long"
        raise CheckpointError(f"{what}: not a safetensors file, or a damaged one ({reason})")
    if length + 8 > file_size:
        _damaged(what, f"invalid header length: {length} of {file_size} bytes")
    return length


def check_no_web_page(start: bytes, what: str) -> None:
    """Raise CheckpointError if a file that begins with ``start`` is a web page, as a failed download leaves it."""
    if start.lstrip().lower().startswith(WEB_PAGE):
        raise CheckpointError(f"{what}: expected a weights file, got a web page")


def read_entries(header: bytes, data_bytes: int, what: str) -> list[Entry]:
    """Return what a header says of its tensors, in the order of their bytes; raises CheckpointError."""
    if header.count(b"{") > MAX_TENSORS + 2:  # before anything is parsed
        raise CheckpointError(f"{what}: expected at most {MAX_TENSORS:,} tensors, got more")
    tensors = parse_header(header, what)
    remarks = tensors.pop(METADATA, {})
    if not isinstance(remarks, dict) or not all(isinstance(value, str) for value in remarks.values()):
        _damaged(what, f"JSON: {METADATA} is not a map of texts")
    entries = [_entry(name, fields, what) for name, fields in tensors.items()]
    entries.sort(key=lambda entry: (entry.start, entry.stop))
    at = 0
    for entry in entries:
        if entry.start != at:
            _damaged(what, f"tensor {short(entry.name)!r}: offset {entry.start}, expected {at}")
        at = entry.stop
    if at != data_bytes:
        _damaged(what, f"{data_bytes} bytes not fully covered by tensors of {at} bytes")
    return entries


def parse_header(header: bytes, what: str) -> dict[str, Any]:
    """Return the JSON object of a header, as it is; raises CheckpointError where it is none."""
    try:
        found = json.loads(header.decode("utf-8"), parse_constant=_no_number)
    except UnicodeDecodeError:
        _damaged(what, "the header is not UTF-8")
    except (ValueError, RecursionError):
        _damaged(what, "the header is not JSON")
    if not isinstance(found, dict):
        _damaged(what, f"JSON: expected an object, got {type(found).__name__}")
    return found


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)


def _entry(name: str, fields: Any, what: str) -> Entry:
    check_name(name, what)
    where = f"{what}: tensor {short(name)!r}"
    if not isinstance(fields, dict) or set(fields) != FIELDS:
        _damaged(what, f"JSON: {short(name)!r} has not the fields {', '.join(sorted(FIELDS))}")
    dtype, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    if not isinstance(dtype, str) or dtype not in SIZES:
        raise CheckpointError(f"{where}: expected dtype {', '.join(SIZES)}, got {short(dtype)}")
    if not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2:
        _damaged(what, f"tensor {short(name)!r}: expected whole numbers of 0 or more as shape and two offsets")
    if len(shape) > MAX_DIMENSIONS or any(size >= MAX_SIZE for size in shape):
        raise CheckpointError(f"{where}: expected at most {MAX_DIMENSIONS} sizes below 2^63, got {short(shape)}")
    needed = prod(shape) * SIZES[dtype]
    if offsets[0] > offsets[1] or offsets[1] - offsets[0] != needed:
        _damaged(what, f"tensor {short(name)!r}: invalid shape {short(shape)} for offsets {short(offsets)}")
    return Entry(name, dtype, tuple(shape), offsets[0], offsets[1])


def _sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


def _damaged(what: str, reason: str) -> NoReturn:
    raise CheckpointError(f"{what}: damaged or not safetensors ({reason})")


def check_name(name: object, what: str) -> None:
    """Raise CheckpointError unless ``name`` can be a layer's name: short, printable, no path."""
    if not isinstance(name, str):
        raise CheckpointError(f"{what}: expected texts as layers' names, got {type(name).__name__}")
    parts = name.replace("\\", "/").split("/")
    usable = name.isprintable() and ".." not in parts and parts[0] != "" and name != METADATA
    if not usable or not name or len(name) > MAX_NAME:
        raise CheckpointError(f"{what}: {short(name)!r} cannot be a layer's name")
