"""PyTorch's own files (.pt and the like), read without torch's reader: nothing in them is ever called.

Both containers are known: the zip archive of today, whose ``data.pkl`` names a member for each tensor's data, and the
older stream of pickles with the data behind them.
"""

import struct
import zipfile
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from softmerge_core.checkpoints.header import MAX_TENSORS, check_name, check_no_web_page
from softmerge_core.checkpoints.pickles import Storage, TensorPlan, Thing, follow
from softmerge_core.errors import CheckpointError, short

MAX_PICKLE_BYTES = 16 * 2**20
MAX_LISTING_BYTES = 16 * 2**20
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001  # torch.serialization
WRAPPERS = ("state_dict", "model_state_dict", "model", "state", "net", "ema", "ema_state_dict", "model_ema")
MAX_NESTING = 8
Reader = Callable[[str], bytearray]  # key of a storage -> its bytes
DAMAGE = (  # which zipfile, struct and torch raise for damaged files
    *(zipfile.BadZipFile, struct.error, EOFError, RuntimeError, ValueError),
    *(KeyError, IndexError, TypeError, OverflowError),
)


def load_legacy(path: Path, budget: int, what: str) -> dict[str, Tensor]:
    """Return the state dict in ``path``, alone or under a usual key.

    ``budget``: the most bytes that all tensors may take. Raises CheckpointError, naming ``what`` and the tensor.
    """
    with path.open("rb") as file:
        start = file.read(64)
        if not start:
            raise CheckpointError(f"{what}: expected a weights file, got 0 bytes")
        check_no_web_page(start, what)
        file.seek(0)
        return _from_zip(file, budget, what) if start.startswith(b"PK\x03\x04") else _from_stream(file, budget, what)


def _from_zip(file: BinaryIO, budget: int, what: str) -> dict[str, Tensor]:
    try:
        _check_listing(file, what)
        with zipfile.ZipFile(file) as archive:
            members = {member.filename: member for member in archive.infolist()}
            pickled = _check_members(list(members.values()), budget, what)
            folder = pickled.removesuffix("data.pkl")
            order = members.get(f"{folder}byteorder")
            if order is not None and archive.read(order) != b"little":
                raise CheckpointError(f"{what}: expected numbers in little-endian order")
            plans = _plans(follow(BytesIO(archive.read(pickled)), what), budget, what)
            return _build(plans, lambda key: _member(archive, members, f"{folder}data/{key}"), what)
    except DAMAGE as error:
        raise CheckpointError(f"{what}: a damaged zip archive ({short(error)})") from error


def _check_listing(file: BinaryIO, what: str) -> None:
    """Raise CheckpointError for a list of members that would take long to read."""
    end: Any = getattr(zipfile, "_EndRecData")(file)  # noqa: B009 - zipfile offers no other look before it reads all
    if end and (end[4] > 2 * MAX_TENSORS or end[5] > MAX_LISTING_BYTES):
        raise CheckpointError(f"{what}: expected at most {MAX_TENSORS:,} tensors, the archive lists {end[4]:,} members")
    file.seek(0)


def _check_members(members: list[zipfile.ZipInfo], budget: int, what: str) -> str:
    """Return the name of the member that lists the tensors."""
    for member in members:
        where = f"{what}: member {short(member.filename)!r}"
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise CheckpointError(f"{where} is packed; torch never packs weights")
        if ".." in Path(member.filename).parts or member.filename.startswith("/"):
            raise CheckpointError(f"{where} points outside the archive")
        if member.filename.endswith(".pkl") and member.file_size > MAX_PICKLE_BYTES:
            raise CheckpointError(f"{where} is too large to be a list of layers")
    total = sum(member.file_size for member in members)
    if total > budget:
        raise CheckpointError(f"{what}: holds {total} bytes, more than the {budget} allowed")
    pickled = [member.filename for member in members if member.filename.endswith("data.pkl")]
    if not pickled:
        raise CheckpointError(f"{what}: a zip archive without torch's data.pkl")
    return pickled[0]


def _member(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str) -> bytearray:
    content = bytearray(members[name].file_size)
    with archive.open(members[name]) as member:
        _fill(content, member)
    return content


def _fill(content: bytearray, file: Any) -> None:
    view, at = memoryview(content), 0
    while at < len(content):
        got = file.readinto(view[at : at + 2**24])
        if not got:
            raise EOFError(f"{len(content) - at} bytes are missing")
        at += got


def _from_stream(file: BinaryIO, budget: int, what: str) -> dict[str, Tensor]:
    stream = BytesIO(file.read(MAX_PICKLE_BYTES))
    first = follow(stream, what)
    if first != MAGIC:
        return _build(_plans(first, budget, what), _nothing, what)
    if follow(stream, what) != PROTOCOL:
        raise CheckpointError(f"{what}: expected torch's protocol {PROTOCOL}")
    system = follow(stream, what)
    if isinstance(system, dict) and system.get("little_endian") is False:
        raise CheckpointError(f"{what}: expected numbers in little-endian order")
    named: dict[str, Storage] = {}
    plans = _plans(follow(stream, what, named), budget, what)
    keys = follow(stream, what)
    file.seek(stream.tell())
    try:
        storages = _storages(file, keys, named, budget)
        return _build(plans, storages.__getitem__, what)
    except DAMAGE as error:
        raise CheckpointError(f"{what}: a damaged torch file ({short(error)})") from error


def _nothing(key: str) -> bytearray:
    raise CheckpointError(f"storage {short(key)!r} is missing")


def _storages(file: BinaryIO, keys: Any, named: dict[str, Storage], budget: int) -> dict[str, bytearray]:
    """Return the data behind the pickles: for each key a number of elements, and their bytes."""
    found: dict[str, bytearray] = {}
    left = budget
    for key in keys if isinstance(keys, list) else []:
        count = int.from_bytes(file.read(8), "little", signed=True)
        size = count * _dtype(named[key].dtype or "uint8").itemsize
        left -= size
        if size < 0 or left < 0:
            raise ValueError("a storage of too many bytes")
        found[key] = bytearray(size)
        _fill(found[key], file)
    return found


def _plans(loaded: Any, budget: int, what: str) -> dict[str, TensorPlan]:
    """Return the state dict in what was read, directly or under one of the usual keys, all checked."""
    for _ in range(MAX_NESTING):
        if not isinstance(loaded, dict):
            break
        inner = next((loaded[key] for key in WRAPPERS if isinstance(loaded.get(key), dict)), None)
        if inner is None:
            break
        loaded = inner
    if not isinstance(loaded, dict) or not loaded:
        raise CheckpointError(f"{what}: expected a state dict (layer name to tensor), got {_kind(loaded)}")
    if len(loaded) > MAX_TENSORS:
        raise CheckpointError(f"{what}: expected at most {MAX_TENSORS:,} tensors, got {len(loaded):,}")
    total = 0
    for name, plan in loaded.items():
        check_name(name, what)
        if not isinstance(plan, TensorPlan):
            raise CheckpointError(f"{what}: expected only dense tensors, but {short(name)!r} is a {_kind(plan)}")
        total += prod(plan.shape) * _dtype(plan.dtype).itemsize
        if total > budget:
            raise CheckpointError(f"{what}: tensor {short(name)!r}: its shape is larger than its stored data")
    return loaded


def _kind(value: Any) -> str:
    return value.kind if isinstance(value, Thing) else type(value).__name__


def _dtype(name: str) -> torch.dtype:
    dtype: torch.dtype = getattr(torch, name)
    return dtype


def _build(plans: dict[str, TensorPlan], read: Reader, what: str) -> dict[str, Tensor]:
    """Return the tensors; one that shares its data with others, or lies strided in them, becomes a copy."""
    users = Counter(plan.storage.key for plan in plans.values())
    storages: dict[str, bytearray] = {}
    state = {}
    for name, plan in plans.items():
        key = plan.storage.key
        if key not in storages:
            storages[key] = read(key)
        try:
            tensor = _tensor(plan, storages[key], f"{what}: tensor {short(name)!r}")
        except RuntimeError as error:
            raise CheckpointError(f"{what}: tensor {short(name)!r}: cannot have shape {short(plan.shape)}") from error
        state[name] = tensor.clone() if users[key] > 1 or not tensor.is_contiguous() else tensor
        state[name] = state[name].contiguous()
    return state


def _tensor(plan: TensorPlan, storage: bytearray, where: str) -> Tensor:
    dtype = _dtype(plan.dtype)
    if prod(plan.shape) == 0:
        return torch.empty(plan.shape, dtype=dtype)
    last = plan.offset + sum((size - 1) * step for size, step in zip(plan.shape, plan.stride, strict=True))
    count = len(storage) // dtype.itemsize
    if last >= count or prod(plan.shape) > count:
        raise CheckpointError(f"{where}: shape {short(plan.shape)} is larger than its stored data")
    raw = torch.uint8 if dtype == torch.bool else dtype
    tensor = torch.frombuffer(storage, dtype=raw, count=count).as_strided(plan.shape, plan.stride, plan.offset)
    return tensor != 0 if dtype == torch.bool else tensor
