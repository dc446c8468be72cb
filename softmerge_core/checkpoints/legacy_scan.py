"""A first look at a legacy .pt file that runs nothing: containers and pickle opcodes only.

It refuses the plainly hostile at once; what passes still goes through ``torch.load(weights_only=True)``.
"""

import pickletools
import zipfile
from io import BytesIO
from pathlib import Path

from softmerge_core.checkpoints.header import check_no_web_page
from softmerge_core.errors import CheckpointError

MAX_PICKLE_BYTES = 64 * 2**20
MAX_PICKLES = 5  # the pre-zip format holds a magic number, a version, the system, the object and the storage keys
ALLOWED_MODULES = ("torch", "collections", "_codecs", "numpy")
CALLING = {"INST", "OBJ", "EXT1", "EXT2", "EXT4"}  # opcodes that build objects and that torch never writes


def scan(path: Path, budget: int) -> None:
    """Raise CheckpointError if ``path`` is empty, damaged, packed, over ``budget`` bytes, or runs code."""
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        raise CheckpointError(f"{path.name}: expected a weights file, got 0 bytes")
    check_no_web_page(start, path.name)
    if start.startswith(b"PK\x03\x04"):
        _scan_zip(path, budget)
    else:
        _scan_stream(path, budget)


def _scan_zip(path: Path, budget: int) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            _check_members(path, members, budget)
            for member in members:
                if member.filename.endswith(".pkl"):
                    _check_pickles(archive.read(member), path.name)
    except (zipfile.BadZipFile, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise CheckpointError(f"{path.name}: a damaged zip archive ({error})") from error


def _check_members(path: Path, members: list[zipfile.ZipInfo], budget: int) -> None:
    for member in members:
        where = f"{path.name}: member {member.filename!r}"
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise CheckpointError(f"{path.name}: member {member.filename!r} is packed; torch never packs weights")
        if ".." in Path(member.filename).parts or member.filename.startswith("/"):
            raise CheckpointError(f"{where} points outside the archive")
        if member.filename.endswith(".pkl") and member.file_size > MAX_PICKLE_BYTES:
            raise CheckpointError(f"{path.name}: member {member.filename!r} is too large to be a list of layers")
    total = sum(member.file_size for member in members)
    if total > budget:
        raise CheckpointError(f"{path.name}: holds {total} bytes, more than the {budget} allowed")
    if not any(member.filename.endswith("data.pkl") for member in members):
        raise CheckpointError(f"{path.name}: a zip archive without torch's data.pkl")


def _scan_stream(path: Path, budget: int) -> None:
    size = path.stat().st_size
    if size > budget:
        raise CheckpointError(f"{path.name}: {size} bytes, more than the {budget} allowed")
    with path.open("rb") as file:
        _check_pickles(file.read(MAX_PICKLE_BYTES), path.name)


def _check_pickles(data: bytes, what: str) -> None:
    """Follow up to MAX_PICKLES pickles; raise on a foreign global, or when the first is damaged."""
    stream = BytesIO(data)
    for index in range(MAX_PICKLES):
        try:
            _check_pickle(stream, what)
        except (ValueError, IndexError, OverflowError, UnicodeDecodeError) as error:
            if index == 0:
                raise CheckpointError(f"{what}: neither safetensors nor a torch file ({error})") from error
            return  # raw storage bytes begin here
        if stream.tell() >= len(data):
            return


def _check_pickle(stream: BytesIO, what: str) -> None:
    strings: list[str] = []
    for opcode, argument, _ in pickletools.genops(stream):
        if isinstance(argument, str):
            strings = [*strings[-1:], argument]
        if opcode.name in CALLING:
            raise CheckpointError(f"{what}: refused, it would run code ({opcode.name} {argument})")
        if opcode.name == "GLOBAL":
            _check_global(str(argument).split(" ")[0], str(argument), what)
        elif opcode.name == "STACK_GLOBAL" and len(strings) == 2:
            _check_global(strings[0], ".".join(strings), what)


def _check_global(module: str, name: str, what: str) -> None:
    if module.partition(".")[0] not in ALLOWED_MODULES:
        raise CheckpointError(f"{what}: refused, it would run code ({name.replace(' ', '.')})")
