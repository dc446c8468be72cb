"""What is known of the user's own data files. Each is checked once, by a process of its own with limits.

What the check found lies beside a file that is kept (``NAME.facts``, ``NAME.labels``, ``NAME.preview``), so that
whoever asks for its shape, classes, labels or a few samples does not read the file again. It counts only as long as the
file is the same; where a part is missing, as beside files that were kept before there were previews, all is made anew.
"""

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from softmerge_core.data.base import SPLITS, Arrays
from softmerge_core.errors import DataError, short
from softmerge_core.home import home, set_aside

FACTS, LABELS, PREVIEW = ".facts", ".labels", ".preview"
SECONDS = 120
ROOT = Path(__file__).parents[2]


class Facts(BaseModel):
    """What a check found: the shape of one sample, the number of classes, and of samples in each split.

    ``sha256``: of the file's bytes; ``size``: their number; ``changed``: the file's time in nanoseconds;
    ``class_names``: of all classes, or none; ``origin``: where the data are from, or "".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_shape: tuple[int, ...]
    classes: int
    samples: dict[str, int]
    sha256: str
    size: int
    changed: int
    class_names: tuple[str, ...] = ()
    origin: str = ""


@dataclass(frozen=True)
class _Record:
    facts: Facts | None
    labels: Arrays
    preview: Arrays
    problem: str = ""


def data_folder() -> Path:
    """Return the folder of the data files that are kept; it may not exist yet."""
    return home() / "data"


def data_files() -> list[Path]:
    """Return the data files that are kept, by name."""
    return sorted(data_folder().glob("*.npz"))


def data_facts(path: str | Path) -> Facts:
    """Return what is known of a data file; one that is not known yet is checked. Raises DataError."""
    record = _record(path)
    if record.facts is None:
        raise DataError(record.problem)
    return record.facts


def data_labels(path: str | Path) -> Arrays:
    """Return "<split>_labels" [N] of a data file, for each split that it has; raises DataError."""
    data_facts(path)
    return dict(_record(path).labels)


def data_preview(path: str | Path) -> Arrays:
    """Return "inputs" [M, ...] and "labels" [M] of a few training samples of each class; raises DataError."""
    data_facts(path)
    return dict(_record(path).preview)


def keep_data_file(source: bytes | Path, name: str, stem: str) -> Path:
    """Check a data file, keep it under ``stem`` and the first letters of its hash, and return its path.

    ``name`` is what messages call it. Raises DataError where it cannot be used or kept; nothing is left then.
    """
    what = f"data file {short(name)!r}"
    folder = data_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as aside:  # no file is chosen from there
            new = Path(aside) / "new.npz"
            _write(new, source)
            record = _check(new, name)
            if record.facts is None:
                raise DataError(record.problem)
            _put_beside(new, record)
            path = folder / f"{stem}-{record.facts.sha256[:8]}.npz"
            _move(new, path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise DataError(f"{what}: could not be kept ({reason or short(error)})") from error
    return path


def remove_data_file(path: Path) -> str:
    """Delete a data file that is kept; returns the ticket with which ``home.bring_back`` undoes it for a day.

    Raises DataError where that cannot be done.
    """
    try:
        if path.parent.resolve() != data_folder().resolve() or not path.is_file():
            raise FileNotFoundError(errno.ENOENT, "There is no such file")
        known = [path.with_suffix(suffix) for suffix in (FACTS, LABELS, PREVIEW)]
        return set_aside([data_folder() / found.name for found in (path, *known) if found.exists()])
    except OSError as error:
        raise DataError(f"data file {short(path.name)!r}: could not be deleted ({error.strerror})") from error


def write_arrays(path: Path, arrays: Arrays) -> None:
    """Write arrays, packed, to ``path``, whatever its suffix; raises OSError."""
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type] # numpy's own keyword has no such name


def _write(path: Path, source: bytes | Path) -> None:
    with path.open("wb") as file:
        if isinstance(source, bytes):
            file.write(source)
        else:
            with source.open("rb") as given:
                shutil.copyfileobj(given, file, 1 << 20)
        file.flush()
        os.fsync(file.fileno())


def _move(new: Path, path: Path) -> None:
    """Move a file and what lies beside it, the file last; all of it or nothing."""
    try:
        for suffix in (LABELS, PREVIEW, FACTS, ".npz"):
            new.with_suffix(suffix).replace(path.with_suffix(suffix))
    except OSError:
        if not path.is_file():
            for suffix in (LABELS, PREVIEW, FACTS):
                path.with_suffix(suffix).unlink(missing_ok=True)
        raise


def _record(path: str | Path) -> _Record:
    try:
        path = Path(path).absolute()
        known = path.stat()
        if not path.is_file():
            raise FileNotFoundError
    except (OSError, ValueError) as error:
        raise DataError(f"data file {short(Path(path).name)!r}: expected an .npz file, found none") from error
    try:
        return _record_of(path, known.st_size, known.st_mtime_ns)
    except OSError as error:
        raise DataError(f"data file {short(path.name)!r}: could not be checked ({error.strerror})") from error


@lru_cache(maxsize=16)
def _record_of(path: Path, size: int, changed: int) -> _Record:
    """Return what lies beside the file, if that speaks of these bytes, else what a check finds."""
    found = _beside(path, size, changed)
    if found is None:
        found = _check(path, path.name)
        if found.facts is not None and path.parent == data_folder().absolute():
            _try_beside(path, found)
    return found


def _beside(path: Path, size: int, changed: int) -> _Record | None:
    try:
        facts = Facts.model_validate_json(path.with_suffix(FACTS).read_bytes())
        if (facts.size, facts.changed) != (size, changed):
            return None
        with path.with_suffix(LABELS).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            labels = {f"{split}_labels": arrays[f"{split}_labels"] for split in SPLITS if split in facts.samples}
        preview = _preview(path.with_suffix(PREVIEW))
    except (OSError, ValidationError, ValueError, KeyError, EOFError):
        return None
    return _Record(facts, labels, preview)


def _preview(path: Path) -> Arrays:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in ("inputs", "labels")}


def _try_beside(path: Path, record: _Record) -> None:
    try:
        _put_beside(path, record)
    except OSError:  # the next process checks again
        path.with_suffix(FACTS).unlink(missing_ok=True)


def _put_beside(path: Path, record: _Record) -> None:
    if record.facts is None:
        return
    write_arrays(path.with_suffix(LABELS), record.labels)
    write_arrays(path.with_suffix(PREVIEW), record.preview)
    path.with_suffix(FACTS).write_text(record.facts.model_dump_json(), encoding="utf-8")


def _check(path: Path, name: str) -> _Record:
    """Check a file in a process of its own. Raises DataError only where that process could not do its work."""
    what = f"data file {short(name)!r}"
    with tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
        labels, preview = Path(folder) / "labels", Path(folder) / "preview"
        program = [sys.executable, "-m", "softmerge_core.data.checker"]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            done = subprocess.run(
                [*program, str(path), short(name), str(labels), str(preview)], cwd=ROOT, env=environment,
                stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise DataError(f"{what}: could not be checked within {SECONDS} s") from error
        try:
            answer = json.loads(done.stdout)
            if "problem" in answer:
                return _Record(None, {}, {}, str(answer["problem"]))
            with np.load(labels, allow_pickle=False) as arrays:
                return _Record(Facts.model_validate(answer), dict(arrays), _preview(preview))
        except (OSError, ValueError):  # killed by a limit, or a disk that is full
            return _Record(None, {}, {}, f"{what}: takes more memory or time to read than is allowed")
