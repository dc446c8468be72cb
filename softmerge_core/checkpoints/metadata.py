"""The remarks in a safetensors file: texts by name, in its header beside the tensors. Loads no torch.

They are written in the order of their names, so that equal files are equal to the byte; safetensors itself writes them
in another order each time. What a stranger wrote there is text and nothing else: nothing is made of it here.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from softmerge_core.checkpoints.header import METADATA, header_length, parse_header, read_entries
from softmerge_core.errors import CheckpointError, short

ALIGNMENT = 8  # bytes: the data begin at a multiple of it


def with_metadata(content: bytes, metadata: Mapping[str, str]) -> bytes:
    """Return the bytes of a safetensors file with other remarks; its tensors stay as they are, byte by byte.

    Half characters, which JSON can name and UTF-8 cannot write, become question marks.
    """
    length = int.from_bytes(content[:8], "little")
    tensors = json.loads(content[8 : 8 + length])
    tensors.pop(METADATA, None)
    remarks = {_writable(name): _writable(metadata[name]) for name in sorted(metadata)}
    text = json.dumps({METADATA: remarks, **tensors} if remarks else tensors, separators=(",", ":")).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return b"".join([len(text).to_bytes(8, "little"), text, memoryview(content)[8 + length :]])


def _writable(text: str) -> str:
    return text.encode(errors="replace").decode()


def read_metadata(path: str | Path) -> dict[str, str]:
    """Return the remarks of a safetensors file, none where it has none; its whole header is checked.

    Raises CheckpointError, naming the file, where it is none or damaged.
    """
    path = Path(path)
    what = short(path.name)
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = header_length(file.read(64), size, what)
            file.seek(8)
            header = file.read(length)
    except OSError as error:
        raise CheckpointError(f"{what}: could not be read ({error.strerror or error})") from error
    read_entries(header, size - 8 - length, what)
    remarks: dict[str, str] = parse_header(header, what).get(METADATA, {})
    return remarks
