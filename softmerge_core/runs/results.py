"""The reading of a run's result, which may be large or damaged."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from softmerge_core.errors import RunError, SettingsError
from softmerge_core.experiments import check_result
from softmerge_core.runs import files


def read_result(folder: Path, kind: str) -> tuple[dict[str, Any] | None, str]:
    """Return the result of the run in ``folder`` and "", or None and what is wrong with it; it must not be changed."""
    try:
        known = (folder / files.RESULT).stat()
    except OSError:
        return _read_result(folder, kind)
    return _known_result(folder, kind, known.st_mtime_ns, known.st_size)


@lru_cache(maxsize=16)  # a page reads it at every step of its reader, and that of a large network has megabytes
def _known_result(folder: Path, kind: str, changed: int, size: int) -> tuple[dict[str, Any] | None, str]:
    return _read_result(folder, kind)


def _read_result(folder: Path, kind: str) -> tuple[dict[str, Any] | None, str]:
    try:
        values = files.read_json(folder / files.RESULT)
        if values is not None:
            check_result(kind, values)
    except SettingsError:
        what = f"{files.RESULT} of run {folder.name!r} is damaged: it does not hold what such a run leaves"
        return None, f"the result is left out: {what}"
    except RunError as error:
        return None, f"the result is left out: {error}"
    return values, ""
