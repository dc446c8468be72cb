"""The folder of this machine whose files the app offers beside uploads, named when it is started. Loads no torch.

It is ``$SOFTMERGE_FOLDER``. Files are known by their place below it ("nets/a.safetensors"), which is a label: nothing
outside the folder can be named, and no link that leads out of it is followed.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from softmerge_core.errors import NotFoundError, short

FOLDER = "SOFTMERGE_FOLDER"
MOST_FILES = 500  # that are offered
MOST_SEEN = 20_000  # entries that are looked at
DEEPEST = 6  # folders below the first


def server_folder() -> Path | None:
    """The folder, or None where none was named or it is not there."""
    named = os.environ.get(FOLDER)
    folder = Path(named).expanduser() if named else None
    return folder.resolve() if folder and folder.is_dir() else None


def files_offered(wanted: Callable[[str], bool]) -> list[str]:
    """The labels of the files in the folder that are ``wanted`` by their names, sorted, and at most MOST_FILES."""
    folder = server_folder()
    found: list[str] = []
    if folder is None:
        return found
    for seen, path in enumerate(_walk(folder, DEEPEST)):
        if seen >= MOST_SEEN or len(found) >= MOST_FILES:
            break
        if wanted(path.name) and _inside(folder, path):
            found.append(path.relative_to(folder).as_posix())
    return sorted(found)


def file_offered(label: str) -> Path:
    """The file of a label; raises NotFoundError where the folder has none, whatever lies elsewhere."""
    folder = server_folder()
    path = folder / label if folder and "\0" not in label else None
    if folder is None or path is None or not _inside(folder, path):
        raise NotFoundError(f"{short(label)!r}: expected a file in the server's folder, found none")
    return path


def _inside(folder: Path, path: Path) -> bool:
    """Whether a path is a file in the folder, by itself and where its links lead."""
    try:
        return path.resolve(strict=True).is_relative_to(folder) and path.is_file()
    except (OSError, RuntimeError):  # gone, or links that go round
        return False


def _walk(folder: Path, deeper: int) -> Iterator[Path]:
    """Yield every entry below a folder but those hidden; links to folders are not followed."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            if deeper:
                yield from _walk(Path(entry.path), deeper - 1)
        else:
            yield Path(entry.path)
