"""The store of runs, one folder each: they are created, listed, read and deleted here, and filled by a writer."""

import contextlib
import logging
import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

from softmerge_core.errors import NotFoundError, RunError, SettingsError, SoftMergeError
from softmerge_core.events import AnyEvent
from softmerge_core.experiments import Spec, parse_spec
from softmerge_core.home import home, set_aside, write_atomic
from softmerge_core.runs import files, waypoints
from softmerge_core.runs.labels import Labels, write_labels
from softmerge_core.runs.log import read_log
from softmerge_core.runs.results import read_result
from softmerge_core.runs.status import State, Status, derive, is_held

EXAMPLES = Path(__file__).parents[1] / "examples"
EXAMPLE = "example:"
VERSION = 1
Request = Literal["stop", "pause", "resume"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RunSummary:
    """A run in one line of a list; ``created`` is wall-clock time (UTC), ``message`` may be empty."""

    id: str
    name: str
    kind: str
    status: Status
    created: datetime
    message: str = ""


@dataclass(frozen=True)
class Quarantined:
    """A folder among the runs that cannot be read as a run, with the reason."""

    id: str
    reason: str


@dataclass(frozen=True)
class RunView:
    """A run, with the events of its log up to byte ``next``, from where to read on; ``damaged`` lines were skipped.

    ``harm`` says what is wrong with a result that was not taken; else it is empty.
    """

    id: str
    spec: Spec
    status: Status
    events: tuple[AnyEvent, ...]
    next: int
    result: dict[str, Any] | None
    error: str | None
    damaged: int = 0
    harm: str = ""


class RunStore:
    """The runs under ``root`` (by default ``home()/runs``), and the examples that ship with the package."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = Path(root) if root is not None else home() / "runs"

    def create(self, spec: Spec) -> str:
        """Create a run that waits to be started, and return its id. Raises RunError if it cannot be written.

        One that branches from a run that is still there begins with the log and the snapshots of that way.
        """
        now = datetime.now(UTC)
        run_id = f"{now:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}"
        create_folder(self.root / run_id, spec, now, partial(self._hand_over, spec))
        return run_id

    def _hand_over(self, spec: Spec, child: Path) -> None:
        run_id, step = spec.parent or ("", 0)
        with contextlib.suppress(SoftMergeError):  # there is no such run any more: it is computed from the beginning
            parent = self.folder(run_id)
            if spec.continues(read_spec(parent)):
                waypoints.hand_over(parent, child, step)

    def read(self, run_id: str, after: int = 0) -> RunView:
        """Return the run and its events from byte ``after`` on; raises NotFoundError, or RunError if it is damaged."""
        return read_run(self.folder(run_id), run_id, after)

    def status(self, run_id: str) -> State:
        """Return the run's state without reading its events."""
        return derive(self.folder(run_id))

    def request(self, run_id: str, request: Request, change: dict[str, Any] | None = None) -> None:
        """Ask the run's writer to stop, pause or resume; a request to stop cannot be taken back.

        A paused run may resume with a ``change`` of its settings.
        """
        if request not in ("stop", "pause", "resume"):
            raise RunError(f"run {run_id!r}: expected stop, pause or resume, got {str(request)[:40]!r}")
        path = self._own(run_id) / files.REQUEST
        with files.writing(run_id):
            if requested(path) == "stop":
                return
            files.write_json(path, {"request": request, **({"change": change} if change else {})}, durable=False)

    def delete(self, run_id: str) -> None:
        """Delete the run and all its files; raises RunError while it is running."""
        folder = self._own(run_id)
        if is_held(folder):
            raise RunError(f"run {run_id!r} is running: stop it before deleting it")
        hidden = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.deleted")
        with files.writing(run_id):
            folder.rename(hidden)  # so it is gone for every reader at once, even if the deletion is cut short
        shutil.rmtree(hidden, ignore_errors=True)

    def set_aside(self, run_ids: Sequence[str]) -> str:
        """Throw runs away; returns the ticket for ``home.bring_back``. Raises RunError while one of them is running."""
        folders = [self._own(run_id) for run_id in run_ids]
        if busy := next((folder.name for folder in folders if is_held(folder)), None):
            raise RunError(f"run {busy!r} is running: stop it before deleting it")
        with files.writing(", ".join(run_ids[:3])):
            return set_aside(folders)

    def label(self, run_id: str, labels: Labels) -> None:
        """Write a name and tags on a run; raises SettingsError for what is too long, RunError if it fails."""
        write_labels(self._own(run_id), labels)

    def weights(self, run_id: str, name: str) -> Path:
        """Return the path of the safetensors file that the run kept under ``name``; raises NotFoundError."""
        path = files.weights_path(self.folder(run_id), name)
        if not path.is_file():
            raise NotFoundError(f"run {run_id!r} kept no weights called {name!r}")
        return path

    def folder(self, run_id: str) -> Path:
        """Return the folder of a run or example; raises NotFoundError. Only the name of a run ever becomes a path."""
        example = isinstance(run_id, str) and run_id.startswith(EXAMPLE)
        root = EXAMPLES if example else self.root
        folder = root / files.check_run_id(run_id.removeprefix(EXAMPLE) if example else run_id)
        if not _is_folder(folder) or folder.is_symlink():
            raise NotFoundError(f"unknown run {run_id!r}")
        return folder

    def _own(self, run_id: str) -> Path:
        """Return the folder of a run that may be changed: not that of an example."""
        if isinstance(run_id, str) and run_id.startswith(EXAMPLE):
            raise RunError(f"run {run_id!r} is a recorded example: it cannot be changed")
        return self.folder(run_id)

    def examples(self) -> list[RunSummary]:
        """Return the recorded runs that ship with the package, by name; their ids begin with "example:"."""
        return sorted(scan(EXAMPLES, EXAMPLE)[0], key=lambda summary: summary.id)

    def quarantined(self) -> list[Quarantined]:
        """Return the folders that cannot be read as runs; nothing in them is changed."""
        return scan(self.root)[1]

    def list(self) -> list[RunSummary]:
        """Return all readable runs, newest first."""
        return scan(self.root)[0]


def read_run(folder: Path, run_id: str, after: int = 0) -> RunView:
    """Return the run in ``folder``, wherever it lies, as ``RunStore.read`` does; raises RunError if it is damaged."""
    spec = read_spec(folder)
    state = derive(folder)  # read before the log, so that the log of a finished run is read to its end
    piece = read_log(folder / files.EVENTS, after)
    ended = state.status in ("finished", "stopped")
    result, harm = read_result(folder, spec.kind) if ended else (None, "")
    error = state.message if state.status in ("failed", "interrupted") else None
    return RunView(run_id, spec, state.status, piece.events, piece.next, result, error, piece.damaged, harm)


def scan(root: Path, prefix: str = "") -> tuple[list[RunSummary], list[Quarantined]]:
    """Return the runs in the folders of ``root``, newest first, and the folders that cannot be read as runs."""
    runs, quarantined = [], []
    for folder in folders(root):
        try:
            runs.append(described(folder, prefix)[0])
        except (SoftMergeError, OSError) as error:
            if _is_folder(folder):  # otherwise it was deleted meanwhile
                name = folder.name.encode(errors="backslashreplace").decode()  # not every file name is text
                quarantined.append(Quarantined(prefix + name, str(error)))
                _log_quarantined(folder, str(error))
    return sorted(runs, key=lambda run: (run.created, run.id), reverse=True), quarantined


def folders(root: Path) -> Sequence[Path]:
    """Return the visible folders in ``root`` by name; none where it cannot be read."""
    try:
        return sorted(path for path in root.iterdir() if not path.name.startswith(".") and _is_folder(path))
    except OSError:
        return ()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # it lies in a folder that may not be searched
        return False


@lru_cache(maxsize=1000)  # pages list the runs again and again, and each is worth one line in the log
def _log_quarantined(folder: Path, reason: str) -> None:
    logger.warning("%s is set apart, it cannot be read as a run: %s", folder, reason)


def create_folder(
    folder: Path, spec: Spec, now: datetime | None = None, fill: Callable[[Path], None] | None = None
) -> None:
    """Create ``folder`` as a run that waits to be started. It appears whole or not at all; raises RunError.

    ``fill`` puts into it what there is to begin with.
    """
    manifest = {"version": VERSION, "created": (now or datetime.now(UTC)).isoformat(), "kind": spec.kind}
    text = as_text(spec)
    building = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.new")
    try:
        building.mkdir(parents=True)
        files.write_json(building / files.MANIFEST, manifest)
        write_atomic(building / files.SPEC, text)
        if fill:
            fill(building)
        building.rename(folder)
    except OSError as error:
        shutil.rmtree(building, ignore_errors=True)
        raise RunError(f"run {folder.name!r} could not be created ({error.strerror})") from error


def as_text(spec: Spec) -> bytes:
    """Return a spec as it is written; raises SettingsError unless the same spec is read from that again."""
    try:
        text = spec.model_dump_json(indent=1).encode() + b"\n"
    except ValueError as error:  # half a character; values within values without end
        raise SettingsError(f"{spec.kind}: expected values that JSON can hold, got others") from error
    if type(spec).model_validate_json(text) != spec:
        raise SettingsError(f"{spec.kind}: expected values that JSON can hold, got such as come back changed")
    return text


def read_spec(folder: Path) -> Spec:
    """Return the spec of the run in ``folder``; raises RunError when manifest or spec is missing or damaged."""
    _read_manifest(folder)
    values = files.read_json(folder / files.SPEC)
    if values is None:
        raise RunError(f"run {folder.name!r} has no {files.SPEC}")
    return parse_spec(values)


def requested(path: Path) -> str | None:
    """Return the request in the file at ``path``; None if there is no such file or it cannot be read."""
    return asked(path).get("request")


def asked(path: Path) -> dict[str, Any]:
    """Return the request in the file at ``path`` with what it brings; empty if there is none that can be read."""
    with contextlib.suppress(RunError):
        return files.read_json(path) or {}
    return {}


def _read_manifest(folder: Path) -> dict[str, Any]:
    manifest = files.read_json(folder / files.MANIFEST)
    if manifest is None:
        raise RunError(f"run {folder.name!r} has no {files.MANIFEST}")
    if manifest.get("version") != VERSION:
        raise RunError(f"run {folder.name!r}: expected version {VERSION}, got {str(manifest.get('version'))[:40]}")
    return manifest


def _created(folder: Path) -> datetime:
    text = _read_manifest(folder).get("created")
    try:
        created = datetime.fromisoformat(str(text))
        return created.astimezone(UTC) if created.tzinfo else created.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise RunError(f"run {folder.name!r}: {str(text)[:40]!r} is not a date") from error


def described(folder: Path, prefix: str = "") -> tuple[RunSummary, Spec]:
    """Return the run in ``folder`` in one line, and its spec; raises RunError if it is damaged or its name is none."""
    if not files.is_run_id(folder.name) or folder.is_symlink():
        raise RunError(f"folder {folder.name!r} cannot be a run: its name is not one")
    spec, state = read_spec(folder), derive(folder)
    return RunSummary(prefix + folder.name, spec.name, spec.kind, state.status, _created(folder), state.message), spec
