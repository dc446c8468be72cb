"""Weights in several safetensors files, and the index that says which tensor is in which (as Hugging Face writes them).

The index is JSON: ``{"metadata": ..., "weight_map": {tensor: file}}``; the files lie beside it. Loads no torch.
"""

import json
from pathlib import Path

from softmerge_core.checkpoints.header import MAX_HEADER_BYTES, MAX_TENSORS, check_name
from softmerge_core.errors import CheckpointError, short

INDEX = ".safetensors.index.json"
MAX_SHARDS = 1000


def is_index(path: str | Path) -> bool:
    """Whether a file is the index of weights in several files, by its name."""
    return str(path).lower().endswith(INDEX)


def shards(path: str | Path) -> list[Path]:
    """The files in which the weights of ``path`` lie: itself, or for an index those that it names, sorted.

    Raises CheckpointError, naming the index, where it is damaged, or names a file that is not there.
    """
    return sorted(set(weight_map(path).values())) if is_index(path) else [Path(path)]


def weight_map(path: str | Path) -> dict[str, Path]:
    """The file of each tensor in an index; raises CheckpointError as ``shards`` does."""
    path = Path(path)
    what = short(path.name)
    found = {str(name): _file(path, file, what) for name, file in _entries(path, what).items()}
    for name in found:
        check_name(name, what)
    for file in set(found.values()):
        if not file.is_file():
            raise CheckpointError(f"{what}: expected {short(file.name)} beside it, found none")
    return found


def _entries(path: Path, what: str) -> dict[object, object]:
    try:
        if path.stat().st_size > MAX_HEADER_BYTES:
            raise CheckpointError(f"{what}: expected an index of at most {MAX_HEADER_BYTES:,} bytes")
        read = json.loads(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{what}: could not be read ({error.strerror or type(error).__name__})") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{what}: expected an index in JSON, got: {short(error)}") from error
    entries = read.get("weight_map") if isinstance(read, dict) else None
    if not isinstance(entries, dict) or not entries:
        raise CheckpointError(f"{what}: expected an index with a weight_map, got none")
    files = len(set(map(str, entries.values())))
    if len(entries) > MAX_TENSORS or files > MAX_SHARDS:
        most = f"at most {MAX_TENSORS:,} tensors in {MAX_SHARDS:,} files"
        raise CheckpointError(f"{what}: expected {most}, got {len(entries):,} in {files:,}")
    return entries


def _file(path: Path, name: object, what: str) -> Path:
    """Return the file called ``name`` beside an index, which may name no other place."""
    if not isinstance(name, str) or Path(name).name != name or "\\" in name or not name.endswith(".safetensors"):
        raise CheckpointError(f"{what}: expected the names of .safetensors files beside it, got {short(name)!r}")
    return path.with_name(name)
