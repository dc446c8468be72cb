"""The commands of ``softmerge``. Results go to stdout, progress to stderr."""

import contextlib
import dataclasses
import json
import os
import runpy
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from softmerge_core.errors import RunError, SettingsError
from softmerge_core.events import Event, Notice, Progress, Stage
from softmerge_core.experiments import Spec, experiment, experiments, parse_spec
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.export.merged import run_folder
from softmerge_core.folder import FOLDER
from softmerge_core.networks.registration import FILE as NETWORKS_FILE
from softmerge_core.numbers import finite
from softmerge_core.runs import RunStore, files, waypoints
from softmerge_core.runs.status import is_held
from softmerge_core.runs.store import create_folder, read_run, read_spec
from softmerge_core.runs.warm import one_thread
from softmerge_core.runs.writer import conduct

MAX_SPEC_BYTES = 16 * 2**20
OF_A_RUN = (
    files.EVENTS,
    files.RESULT,
    files.END,
    files.BEGUN,
    files.SNAPSHOT,
    files.REQUEST,
    files.TRACEBACK,
)


def name_places(networks: str | None, folder: str | None) -> None:
    """Name the file of the reader's networks and the folder that is offered, for this process and those it starts.

    Raises SettingsError for a folder that is not there; a file that is not is told where networks are looked up.
    """
    if networks:
        os.environ[NETWORKS_FILE] = str(Path(networks).expanduser().absolute())
    if folder:
        if not Path(folder).expanduser().is_dir():
            raise SettingsError(f"--folder {folder!r}: expected a folder, found none")
        os.environ[FOLDER] = str(Path(folder).expanduser().absolute())


def app(options: Sequence[str]) -> None:
    """Start the app in this process, until it is stopped; ``options`` are those of ``streamlit run``."""
    sys.argv = ["streamlit", "run", str(server_script()), *options]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


def server_script() -> Path:
    """Return the path of ``app.py``: installed it has a folder of its own, else it lies beside this package."""
    root = Path(__file__).parents[1]
    places = (root / "softmerge_app" / "app.py", root / "app.py")
    for place in places:
        if place.is_file():
            return place
    raise RunError(f"the app was not found: expected {places[0]} or {places[1]}")


def merge(spec: str, out: str) -> None:
    """Merge as the spec file says, keep the run in the folder ``out``, print its result."""
    run(spec, out, kind="merge")


def compare(spec: str, out: str | None) -> None:
    """Compare methods as the spec file says, print the table as JSON."""
    run(spec, out, kind="compare")


def run(spec: str, out: str | None, kind: str | None = None) -> None:
    """Run the experiment a spec file describes, in this process, and print its result as one JSON object."""
    parsed = load_spec(spec, kind)
    experiment(parsed.kind).check(parsed)
    store = RunStore()
    folder = prepare(Path(out).absolute(), parsed) if out else store.folder(store.create(parsed))
    with contextlib.redirect_stdout(sys.stderr):
        one_thread()
        status = conduct(folder, listen=reporter())
    if status == "failed":
        raise RunError(str((files.read_json(folder / files.END) or {}).get("error")))
    result = files.read_json(folder / files.RESULT) or {}
    show({"name": parsed.name, "kind": parsed.kind, "status": status, "out": str(folder), **result})


def explain(what: str, *, step: int, stage: str, part: str) -> None:
    """Print one training step of a merge run with all its numbers, or the history of the gates of a stage up to it.

    The run, by its id or folder, is gone through again in this process.
    """
    from softmerge_core.experiments.merge.explain import explain_gates, explain_step

    folder = run_folder(what, "expected the id or the folder of a merge run")
    view = read_run(folder, folder.name)
    if not isinstance(view.spec, MergeSpec):
        raise RunError(f"run {folder.name!r}: expected a merge, whose gates learn step by step, got {view.spec.kind!r}")
    common: dict[str, Any] = {"part": part, "snapshots": waypoints.newest_first(folder), "told": view.events}
    with contextlib.redirect_stdout(sys.stderr):
        one_thread()
        found = (
            explain_gates(view.spec, stage, until=step, **common) if stage else explain_step(view.spec, step, **common)
        )
    show(found)


def load_spec(path: str, kind: str | None) -> Spec:
    """The spec in a JSON file, or on standard input for "-"; raises SettingsError."""
    try:
        text = sys.stdin.read(MAX_SPEC_BYTES) if path == "-" else _read(Path(path))
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"spec {path!r} is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise SettingsError(f"spec {path!r}: expected a JSON object, got {type(values).__name__}")
    if kind and values.setdefault("kind", kind) != kind:
        raise SettingsError(f"spec {path!r}: expected kind {kind!r}, got {str(values['kind'])[:40]!r}")
    return parse_spec(values)


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_SPEC_BYTES:
            raise SettingsError(f"spec {str(path)!r}: expected at most {MAX_SPEC_BYTES} bytes")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"spec {str(path)!r} cannot be read: {error.strerror}") from error


def prepare(folder: Path, spec: Spec) -> Path:
    """``folder`` as a run folder for ``spec``: new, taken up where it was cut short, or emptied to repeat.

    Raises RunError when it holds anything else, so that nothing of the reader's is overwritten.
    """
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        create_folder(folder, spec)
        return folder
    if not (folder / files.MANIFEST).is_file():
        raise RunError(f"{folder} is neither empty nor the folder of a run: name another")
    if read_spec(folder) != spec:
        raise RunError(f"{folder} holds a run with another spec: name another")
    if is_held(folder):
        raise RunError(f"the run in {folder} is being written by another process")
    end = files.read_json(folder / files.END) or {}
    if end.get("status") in ("finished", "stopped"):
        with files.writing(folder.name):  # where a folder lies in the place of a file, that is refused
            for name in OF_A_RUN:
                (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / files.WEIGHTS, ignore_errors=True)
    return folder


def reporter() -> Callable[[Event], None]:
    """Progress in words on stderr: stages, notices, and every tenth of the way."""
    shown = -1

    def report(event: Event) -> None:
        nonlocal shown
        if isinstance(event, (Stage, Notice)):
            print(event.title if isinstance(event, Stage) else event.text, file=sys.stderr)
        elif isinstance(event, Progress) and event.total and 10 * event.step // event.total != shown:
            shown = 10 * event.step // event.total
            print(f"step {event.step} of {event.total}, {event.seconds:.1f} s", file=sys.stderr)

    return report


def spec(schema: bool, kind: str = "merge") -> None:
    """Print an example spec that runs, or the schema of all specs of a kind."""
    found = experiment(kind)
    if schema:
        show(found.spec.model_json_schema())
    else:
        show(found.example().model_dump(mode="json"))


def kinds() -> list[str]:
    """The kinds of experiments there are."""
    return list(experiments())


def plain(value: Any) -> Any:
    """A dataclass or model as JSON values."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def show(values: Any) -> None:
    """Print ``values`` as JSON on stdout."""
    print(json.dumps(finite(values), indent=2, allow_nan=False))
