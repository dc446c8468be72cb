"""The checks of a safetensors file that the safetensors library leaves to its caller.

The library itself refuses a header that is cut short, larger than the file or no valid JSON, unknown data types, and
tensors whose sizes overflow, differ from their shapes, overlap, or leave a hole
(https://github.com/huggingface/safetensors#format). It accepts any name, any number of tensors and of dimensions.
"""

from pathlib import Path

from safetensors import safe_open

from softmerge_core.errors import CheckpointError

MAX_HEADER_BYTES = 8 * 2**20  # about 100,000 tensors: the library needs minutes for a million
MAX_DIMENSIONS = 16
MAX_SIZE = 2**63  # of one dimension: torch counts in 64 bits
MAX_NAME = 512
DTYPES = ("BOOL", "U8", "I8", "I16", "U16", "I32", "U32", "I64", "U64", "F16", "BF16", "F32", "F64")
WEB_PAGE = (b"<!doctype", b"<html", b"<?xml")


def check_start(path: Path) -> None:
    """Raise CheckpointError unless the file at ``path`` begins with the length of a header of reasonable size."""
    with path.open("rb") as file:
        start = file.read(64)
    if len(start) < 8:
        raise CheckpointError(f"{path.name}: expected a safetensors file, got {len(start)} bytes")
    check_no_web_page(start, path.name)
    length = int.from_bytes(start[:8], "little")
    if length > MAX_HEADER_BYTES:
        raise CheckpointError(f"{path.name}: the header claims {length} bytes; damaged or not safetensors")


def check_no_web_page(start: bytes, what: str) -> None:
    """Raise CheckpointError if a file that begins with ``start`` is a web page, as a failed download leaves it."""
    if start.lstrip().lower().startswith(WEB_PAGE):
        raise CheckpointError(f"{what}: expected a weights file, got a web page")


def check_entries(file: safe_open, what: str) -> None:
    """Raise CheckpointError naming the first tensor of an open ``file`` with an unusable name, type or shape."""
    for name in file.keys():  # noqa: SIM118 - it is no dict
        check_name(name, what)
        entry = file.get_slice(name)
        shape, dtype = entry.get_shape(), entry.get_dtype()
        if dtype not in DTYPES:
            raise CheckpointError(f"{what}: tensor {name!r}: expected dtype {', '.join(DTYPES)}, got {dtype}")
        if len(shape) > MAX_DIMENSIONS or any(size >= MAX_SIZE for size in shape):
            text = str(shape)[:80]
            raise CheckpointError(f"{what}: tensor {name!r}: expected at most {MAX_DIMENSIONS} sizes, got {text}")


def check_name(name: str, what: str) -> None:
    """Raise CheckpointError unless ``name`` can be a layer's name: short, printable, no path."""
    parts = name.replace("\\", "/").split("/")
    if not name or len(name) > MAX_NAME or not name.isprintable() or ".." in parts or parts[0] == "":
        raise CheckpointError(f"{what}: {name[:80]!r} cannot be a layer's name")
