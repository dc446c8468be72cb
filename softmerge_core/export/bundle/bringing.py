"""A bundle becomes a run again: checked and unpacked by a process that ends, then moved among the runs. Loads no torch.

The run comes under its own id where that is free. Data and models of its maker come by the same doors as uploads.
"""

import contextlib
import json
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from softmerge_core.data import keep_data_file
from softmerge_core.errors import BundleError, DataError, RunError, SettingsError, SoftMergeError, short
from softmerge_core.experiments import parse_spec
from softmerge_core.export.bundle import manifest as known
from softmerge_core.export.bundle.manifest import Manifest
from softmerge_core.export.bundle.mark import FILE as MARK
from softmerge_core.export.bundle.mark import read_mark, write_mark
from softmerge_core.export.bundle.models import keep_models
from softmerge_core.export.bundle.own import replaced
from softmerge_core.export.bundle.packing import IMPORTED_TAG, run_digest
from softmerge_core.limits import seconds_for
from softmerge_core.runs import RunStore, files
from softmerge_core.runs.labels import read_labels, write_labels
from softmerge_core.runs.store import as_text, described, read_spec

ROOT = Path(__file__).parents[3]
PROCESS = "softmerge_core.export.bundle.process"
PATIENCE = 60  # seconds beyond those of processor time, for a machine that is busy
OWN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")


class Brought(NamedTuple):
    """A run that came in. ``there``: it was among the runs already; ``notices``: what could not be kept of it."""

    run_id: str
    kind: str
    name: str
    there: bool
    notices: tuple[str, ...]


def bring_in(archive: Path, called: str, store: RunStore | None = None) -> Brought:
    """Make the bundle ``archive``, which messages call ``called``, a run again.

    Raises BundleError for what is no sound bundle, RunError where nothing can be written; nothing is kept then.
    """
    store = store or RunStore()
    with _scratch(store.root) as folder:
        return take_over(folder, _unpacked(archive, short(called), folder), store)


@contextlib.contextmanager
def _scratch(root: Path) -> Iterator[Path]:
    """A hidden folder among the runs, from which files can be moved there; it is gone at the end."""
    folder = root / f".{secrets.token_hex(4)}.incoming"
    try:
        folder.mkdir(parents=True)
        yield folder
    except OSError as error:
        raise RunError(f"the bundle could not be kept ({error.strerror or error})") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unpacked(archive: Path, called: str, folder: Path) -> Manifest:
    """The manifest of a bundle, whose files now lie in ``folder``."""
    command = [sys.executable, "-m", PROCESS, str(archive.absolute()), called, str(folder.absolute())]
    too_much = BundleError(f"{called}: takes more memory or time to read than is allowed")
    limit = seconds_for(known.MOST_BYTES) + PATIENCE
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired as error:
        raise too_much from error
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise too_much from error
    if "problem" in answer:
        raise BundleError(str(answer["problem"]))
    return Manifest.model_validate(answer["manifest"])


def take_over(folder: Path, manifest: Manifest, store: RunStore) -> Brought:
    """Move the run of a bundle that lies unpacked and checked in ``folder`` into the store."""
    name = manifest.name
    if (before := _before(manifest, store)) is not None:
        return Brought(before, manifest.kind, name, True, ())
    run = folder / known.RUN
    run_id = _free_id(manifest, described(run)[0].created, store)
    final = store.root / run_id
    swaps, notices = _own_things(folder, manifest, final)
    with files.writing(run_id):
        if (folder / known.SOURCES).is_dir():
            (folder / known.SOURCES).rename(run / known.SOURCES)
        if swaps:
            _renamed(run, swaps)
        labels = read_labels(run)
        with contextlib.suppress(SettingsError):  # it may have as many tags as a run can have
            write_labels(run, labels._replace(tags=(*labels.tags, IMPORTED_TAG)))
        write_mark(run, manifest)
        run.rename(final)
    return Brought(run_id, manifest.kind, name, False, tuple(notices))


def _before(manifest: Manifest, store: RunStore) -> str | None:
    """The id of this very run, if it is in the store: it was made there, or came in before."""
    for path in store.root.glob(f"*/{MARK}"):
        mark = read_mark(path.parent)
        if mark is not None and mark.digest == manifest.digest and files.is_run_id(path.parent.name):
            return path.parent.name
    if not files.is_run_id(manifest.run):
        return None
    try:
        return manifest.run if run_digest(store.folder(manifest.run)) == manifest.digest else None
    except (SoftMergeError, OSError):  # no such run here, or one that cannot be read
        return None


def _free_id(manifest: Manifest, made: datetime, store: RunStore) -> str:
    """The run's own id, or where that is taken one of the time when it was ``made``, by which runs are sorted."""
    dated = f"{made:%Y%m%d-%H%M%S}"
    wanted = [manifest.run] if OWN_ID.fullmatch(manifest.run) else []
    wanted.append(f"{dated}-{manifest.digest[:8]}")
    free = next((name for name in wanted if not (store.root / name).exists()), None)
    return free or f"{dated}-{secrets.token_hex(4)}"


def _own_things(folder: Path, manifest: Manifest, final: Path) -> tuple[dict[str, str], list[str]]:
    """What names of the bundle become here, and what could not be kept; ``final``: where the run will lie."""
    swaps = {name: str((final / name).absolute()) for name in manifest.files if name.startswith(known.SOURCES)}
    missed = [left for left in manifest.left_out if not left.file.startswith(known.FIGURES)]  # pages draw their own
    notices = [f"{left.file} is not in the bundle: {left.why}" for left in missed]
    for name in manifest.files:
        if name.startswith(known.DATA):
            path = folder / name
            try:
                swaps[name] = str(keep_data_file(path, path.name, re.sub(r"-[0-9a-f]{8}$", "", path.stem)))
            except DataError as error:
                notices.append(str(error))
    kept, refused = keep_models(folder, manifest, swaps)
    return swaps | kept, [*notices, *refused]


def _renamed(run: Path, swaps: Mapping[str, str]) -> None:
    """Let the spec name what is kept here."""
    values: dict[str, Any] = replaced(read_spec(run).model_dump(mode="json"), swaps)
    (run / files.SPEC).write_bytes(as_text(parse_spec(values)))
