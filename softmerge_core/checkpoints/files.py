"""Weights files: safetensors in and out; PyTorch's own files only in."""

import dataclasses
import hashlib
import mmap
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import safetensors.torch
import torch
from torch import Tensor, nn

from softmerge_core.checkpoints.header import SIZES, Entry, check_name, header_length, read_entries
from softmerge_core.checkpoints.legacy import load_legacy
from softmerge_core.checkpoints.metadata import with_metadata
from softmerge_core.checkpoints.shards import INDEX, is_index, shards, weight_map
from softmerge_core.checkpoints.wrappers import unwrapped
from softmerge_core.errors import CheckpointError, short
from softmerge_core.home import write_atomic

LEGACY = (".pt", ".pth", ".bin", ".ckpt", ".pkl")
MAX_BYTES = 4 * 2**30
CHUNK = 2**24  # bytes read at a time
DTYPES = {
    "BOOL": torch.bool, "U8": torch.uint8, "I8": torch.int8, "I16": torch.int16, "U16": torch.uint16,
    "I32": torch.int32, "U32": torch.uint32, "I64": torch.int64, "U64": torch.uint64,
    "F16": torch.float16, "BF16": torch.bfloat16, "F32": torch.float32, "F64": torch.float64,
}  # fmt: skip


def load_checkpoint(path: str | Path, *, require_finite: bool = False, mapped: bool = False) -> dict[str, Tensor]:
    """The state dict (layer name to CPU tensor) of a safetensors or legacy torch file, or an index of several files.

    The file is read once: later changes of it do not reach the tensors. With ``mapped`` the tensors of a safetensors
    file lie in the file instead, are read when they are looked at, and changing them does not change it: for what is
    used at once and let go. No code in a file is ever run. ``require_finite`` also refuses NaN and Inf. Raises
    CheckpointError naming the file and the tensor.
    """
    path = Path(path)
    what = short(path.name)
    if not os.path.isfile(path):
        raise CheckpointError(f"{what}: expected a weights file, found none")
    suffix = path.suffix.lower()
    if suffix != ".safetensors" and suffix not in LEGACY and not is_index(path):
        raise CheckpointError(f"{what}: expected a file ending in .safetensors, {INDEX}, {', '.join(LEGACY)}")
    try:
        size = sum(shard.stat().st_size for shard in shards(path))
        if size > MAX_BYTES:
            raise CheckpointError(f"{what}: {size} bytes, more than the {MAX_BYTES} allowed")
        if suffix in LEGACY:
            state = load_legacy(path, min(2 * size + 2**20, MAX_BYTES), what)
        elif is_index(path):
            state = _load_shards(path, what, mapped)
        else:
            state = _load_safetensors(path, what, mapped)
    except OSError as error:
        raise CheckpointError(f"{what}: could not be read ({error.strerror or type(error).__name__})") from error
    except MemoryError as error:
        raise CheckpointError(f"{what}: takes more memory than there is") from error
    if require_finite:
        check_finite(state, path.name)
    return state


def _load_safetensors(path: Path, what: str, mapped: bool) -> dict[str, Tensor]:
    with path.open("rb") as file:
        entries, begin = _header(file, what)
        data = _map(file, begin, what) if mapped else _read(file, begin, what)
    odd = begin if mapped else 0  # a map begins with the file, and memory with the data
    found = sorted(entries, key=lambda entry: entry.name)
    return {entry.name: _tensor(data, entry, what, odd) for entry in found}


def _load_shards(path: Path, what: str, mapped: bool) -> dict[str, Tensor]:
    """Return the tensors that an index names; raises CheckpointError where a file lacks one of its own."""
    places, state = weight_map(path), {}
    for shard in sorted(set(places.values())):
        held = _load_safetensors(shard, short(shard.name), mapped)
        for name in (name for name, place in places.items() if place == shard):
            if name not in held:
                raise CheckpointError(f"{what}: tensor {short(name)!r} is not in {short(shard.name)}")
            state[name] = held[name]
    return dict(sorted(state.items()))


def stored_dtypes(path: str | Path) -> set[torch.dtype]:
    """The floating-point types of safetensors weights, from their headers; none of another or a bad file."""
    try:
        entries = [entry for shard in shards(path) for entry in _entries(shard)]
    except (OSError, CheckpointError):
        return set()
    return {dtype for dtype in (DTYPES[entry.dtype] for entry in entries) if dtype.is_floating_point}


def _entries(path: Path) -> list[Entry]:
    if path.suffix.lower() != ".safetensors":
        return []
    with path.open("rb") as file:
        return _header(file, short(path.name))[0]


def _header(file: BinaryIO, what: str) -> tuple[list[Entry], int]:
    """(what the header says of the tensors, where their data begin)."""
    size = os.fstat(file.fileno()).st_size
    length = header_length(file.read(64), size, what)
    file.seek(8)
    return read_entries(file.read(length), size - 8 - length, what), 8 + length


def _read(file: BinaryIO, begin: int, what: str) -> memoryview:
    """Read the data once; what is checked is what is returned, whatever becomes of the file."""
    file.seek(begin)
    view, at = memoryview(bytearray(os.fstat(file.fileno()).st_size - begin)), 0
    while at < len(view):
        got = file.readinto(view[at : at + CHUNK])  # type: ignore[attr-defined]
        if not got:
            raise CheckpointError(f"{what}: damaged: it became shorter while it was read")
        at += got
    return view


def _map(file: BinaryIO, begin: int, what: str) -> memoryview:
    size = os.fstat(file.fileno()).st_size
    view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    if len(view) != size:
        raise CheckpointError(f"{what}: damaged: it became another while it was read")
    return view[begin:]


def _tensor(data: memoryview, entry: Entry, what: str, odd: int) -> Tensor:
    dtype, count = DTYPES[entry.dtype], (entry.stop - entry.start) // SIZES[entry.dtype]
    try:
        if not count:
            return torch.empty(entry.shape, dtype=dtype)
        if (odd + entry.start) % SIZES[entry.dtype]:  # no place for such numbers
            data, entry = memoryview(bytearray(data[entry.start : entry.stop])), dataclasses.replace(entry, start=0)
        raw = torch.uint8 if dtype == torch.bool else dtype
        tensor = torch.frombuffer(data, dtype=raw, count=count, offset=entry.start).reshape(entry.shape)
        return tensor != 0 if dtype == torch.bool else tensor
    except RuntimeError as error:
        raise CheckpointError(
            f"{what}: tensor {short(entry.name)!r}: cannot have shape {short(entry.shape)}"
        ) from error


def check_finite(state: Mapping[str, Tensor], what: str) -> None:
    """Raise CheckpointError naming the first tensor of ``state`` that holds NaN or Inf."""
    for name, tensor in state.items():
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise CheckpointError(f"{short(what)}: tensor {short(name)!r} holds NaN or Inf")


def save_checkpoint(
    module_or_state: nn.Module | Mapping[str, Tensor], path: str | Path, metadata: Mapping[str, str] | None = None
) -> None:
    """Write a network's state as safetensors, whole or not at all; tied weights are written once a name.

    ``metadata``: remarks that the file carries in its header. Raises CheckpointError if a name cannot be a layer's, or
    the file cannot be written.
    """
    path = Path(path)
    state = module_or_state.state_dict() if isinstance(module_or_state, nn.Module) else module_or_state
    what = short(path.name)
    payload = as_safetensors(state, what, metadata)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, payload)
    except OSError as error:
        raise CheckpointError(f"{what}: could not be written ({error.strerror or type(error).__name__})") from error


def as_safetensors(state: Mapping[str, Tensor], what: str, metadata: Mapping[str, str] | None = None) -> bytes:
    """Return the bytes of a safetensors file; raises CheckpointError, naming ``what``, if a name can be no layer's."""
    _check_tensors(state, what)
    payload = safetensors.torch.save(plain_tensors(state))
    return with_metadata(payload, metadata) if metadata else payload


def plain_tensors(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return copies of a state's tensors on the CPU that share no memory, as files hold them."""
    return {name: tensor.detach().cpu().clone().contiguous() for name, tensor in state.items()}


def _check_tensors(state: Mapping[str, Tensor], what: str) -> None:
    """Raise CheckpointError unless ``state`` maps usable names to tensors."""
    for name, tensor in state.items():
        check_name(name, what)
        if not isinstance(tensor, Tensor):
            raise CheckpointError(f"{what}: layer {short(name)!r}: expected a tensor, got {type(tensor).__name__}")


def state_hash(state: Mapping[str, Tensor]) -> str:
    """SHA-256 (hex) over names, dtypes, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        digest.update(f"{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def check_hash(state: Mapping[str, Tensor], sha256: str, what: str) -> None:
    """Raise CheckpointError unless ``state`` has this ``state_hash``."""
    if (got := state_hash(state)) != sha256:
        raise CheckpointError(f"{what}: expected SHA-256 {sha256[:12]}..., got {got[:12]}...")


def load_into(network: nn.Module, state: Mapping[str, Tensor], what: str) -> None:
    """Copy ``state`` into ``network``: prefixes of wrappers are taken off, dtypes follow the network.

    Of names that share one tensor in the network the file needs only one. Raises CheckpointError naming ``what`` and
    the first missing, unexpected or mis-shaped layer, or one that is tied in the network and not in the file; the
    network is then unchanged.
    """
    network.load_state_dict(dict(fitting(network, state, what)), strict=False)


def fitting(network: nn.Module, state: Mapping[str, Tensor], what: str) -> Mapping[str, Tensor]:
    """Return ``state`` under the network's own names; raises CheckpointError where it does not fit (``load_into``)."""
    _check_tensors(state, what)
    own, groups = network.state_dict(), _tied(network)
    state = unwrapped(state, own)
    given = {name for group in groups if not state.keys().isdisjoint(group) for name in group}
    missing = [name for name in own if name not in {*state, *given} and not name.endswith("num_batches_tracked")]
    unexpected = [name for name in state if name not in own]
    if missing:
        raise CheckpointError(f"{what}: layer {short(missing[0])!r} is missing ({len(missing)} of {len(own)} are)")
    if unexpected:
        others = f" (nor do {len(unexpected) - 1} others)" if len(unexpected) > 1 else ""
        raise CheckpointError(f"{what}: layer {short(unexpected[0])!r} does not belong to this network{others}")
    for name, tensor in state.items():
        _check_fit(f"{what}: layer {short(name)!r}", tensor, own[name])
    for group in groups:
        _check_tied(what, [name for name in group if name in state], state, own[group[0]].dtype)
    return state


def _tied(network: nn.Module) -> list[list[str]]:
    """The names in a network's state that stand for one tensor, as lists of two or more."""
    groups: dict[int, list[str]] = {}
    for name, tensor in network.state_dict(keep_vars=True).items():
        groups.setdefault(id(tensor), []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def _check_tied(what: str, names: Sequence[str], state: Mapping[str, Tensor], dtype: torch.dtype) -> None:
    """Raise CheckpointError unless the tensors of ``names``, which are one in the network, are equal in the file."""
    for name in names[1:]:
        one, other = (torch.nan_to_num(state[each].to(dtype)) for each in (names[0], name))
        if not torch.equal(one, other):
            raise CheckpointError(
                f"{what}: layer {short(name)!r}: expected the values of {short(names[0])!r}, to which it is tied in "
                "this network, got others: the file is of a network without ties"
            )


def _check_fit(where: str, tensor: Tensor, own: Tensor) -> None:
    """Raise CheckpointError unless ``tensor`` has the shape of ``own``, and its type can hold the values."""
    if tensor.shape != own.shape:
        raise CheckpointError(f"{where}: expected shape {tuple(own.shape)}, got {short(tuple(tensor.shape))}")
    if tensor.is_complex():
        raise CheckpointError(f"{where}: expected real numbers, got {tensor.dtype}")
    if own.is_floating_point() and tensor.is_floating_point() and tensor.dtype != own.dtype:
        lost = torch.isfinite(tensor) & ~torch.isfinite(tensor.to(own.dtype))
        if lost.any():
            value = float(tensor[lost][0])
            raise CheckpointError(f"{where}: {value:g} is more than {own.dtype} holds, as which the network keeps it")
