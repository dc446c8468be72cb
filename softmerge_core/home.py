"""Where the app keeps runs and the reader's own models and data, and the one way a file is written there."""

import contextlib
import os
import secrets
from pathlib import Path

import platformdirs


def home() -> Path:
    """Return ``$SOFTMERGE_HOME``, or the user's data folder for "softmerge". The folder may not exist yet."""
    chosen = os.environ.get("SOFTMERGE_HOME")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("softmerge", appauthor=False))


def write_atomic(path: Path, content: bytes, *, durable: bool = True) -> None:
    """Replace the file at ``path`` by ``content``, whole or not at all; no reader ever sees half of it.

    The folder must exist. With ``durable`` the call returns only once the content is on the disk. Raises OSError,
    and then leaves the old file, or none, and no temporary file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    with contextlib.suppress(OSError):  # some file systems cannot
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
