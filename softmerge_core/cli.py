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

from softmerge_core.attacks import find_attack
from softmerge_core.errors import CheckpointError, RunError, SettingsError
from softmerge_core.events import Event, Notice, Progress, Stage
from softmerge_core.experiments import Spec, experiment, experiments, parse_spec
from softmerge_core.folder import FOLDER
from softmerge_core.networks.registration import FILE as NETWORKS_FILE
from softmerge_core.numbers import finite
from softmerge_core.runs import RunStore, files
from softmerge_core.runs.status import is_held
from softmerge_core.runs.store import create_folder, read_spec
from softmerge_core.runs.warm import one_thread
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import AttackSettings, parse
from softmerge_core.zoo import Asked, FileAsked, Verdict, is_weights_file, library, slug, take_in
from softmerge_core.zoo.verdicts import refused, remarks, what_it_is

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


def zoo_list(as_json: bool) -> None:
    """Show every family of the zoo."""
    from softmerge_core.zoo import families

    found = families().values()
    if as_json:
        show([plain(family) for family in found])
        return
    for family in found:
        print(f"{family.name}: {family.title} ({len(family.models)} models, {family.network}, {family.dataset})")


def zoo_build(names: list[str], out: str | None) -> None:
    """Train the zoo's families again (all, or those named), into ``out`` or where they are shipped."""
    from softmerge_core.zoo.build import build

    print("training the zoo's families; this takes minutes", file=sys.stderr)
    for folder in build(names, out):
        print(folder)


def zoo_add(paths: Sequence[str], network: str, dataset: str, name: str, title: str, like: str = "") -> None:
    """Keep weights files in the reader's library, measured on their data, and print the model, or a list of several.

    All must be of the first one's architecture, which its tensors tell unless ``network`` does. Those that fit are
    kept; for the others CheckpointError names the first of them and its layer. What is of no known network is compared
    with the one that it comes nearest to, or with ``like``.
    """
    found = _at_the_door(paths, network, dataset, name, title, like, keep=True)
    if wrong := [verdict for verdict in found if not verdict.fits]:
        more = f" (nor do {len(wrong) - 1} others fit)" if len(wrong) > 1 else ""
        raise CheckpointError(f"{refused(wrong[0])}{more}")
    known = library()
    kept = [{**plain(known[verdict.model]), "finite": verdict.finite} for verdict in found]
    show(kept if len(kept) > 1 else kept[0])


def zoo_check(paths: Sequence[str], network: str, dataset: str, like: str, as_json: bool) -> None:
    """Say of each weights file what it is, whether it fits the first one and the data, and which layer does not.

    Raises CheckpointError, after the table, where any does not fit.
    """
    found = _at_the_door(paths, network, dataset, "", "", like)
    if as_json:
        show([{**plain(verdict), "fits": verdict.fits} for verdict in found])
    else:
        for verdict in found:
            print("\t".join((verdict.file, what_it_is(verdict), "yes" if verdict.fits else "no", remarks(verdict))))
    if wrong := sum(not verdict.fits for verdict in found):
        raise CheckpointError(f"{wrong} of {len(found)} files {'does' if wrong == 1 else 'do'} not fit")


def _at_the_door(
    paths: Sequence[str], network: str, dataset: str, name: str, title: str, like: str, *, keep: bool = False
) -> list[Verdict]:
    """What came of each of the files in ``paths``."""
    files = [FileAsked(path=path.absolute(), title=title or path.name, name=name) for path in _weights_files(paths)]
    data = str(Path(dataset).absolute()) if dataset.endswith(".npz") else dataset
    return take_in(
        Asked(files=tuple(files), dataset=data, keep=keep, network=network, like=like, together=len(files) > 1)
    )


def _weights_files(paths: Sequence[str]) -> list[Path]:
    """The files in ``paths``, of which folders stand for the weights files in them; raises CheckpointError for none."""
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(each for each in path.iterdir() if is_weights_file(each)) if path.is_dir() else [path]
        if not inside:
            raise CheckpointError(f"{path.name}: expected a folder with weights files, found none")
        found += inside
    return found


def zoo_keep(run: str, name: str, title: str) -> None:
    """Keep the network of a merge run in the reader's library, measured on its data, and print the model."""
    from softmerge_core.export.keeping import keep_merged
    from softmerge_core.zoo import check_name

    if name:
        check_name(name)
    show(plain(keep_merged(run, name, title)))


def zoo_poison(model: str, values: dict[str, Any], name: str) -> None:
    """Keep a spoiled copy of a model in the reader's library, measured on its data, and print the copy.

    ``values``: the attack's settings; a strength of None is the attack's usual one.
    """
    from softmerge_core.zoo import add_poisoned_copy, check_name

    attack = find_attack(str(values["kind"]))
    if name:
        check_name(name)
    if values.get("strength") is None:
        values = {**values, "strength": attack.usual if attack.graded else None}
    chosen = parse(AttackSettings, {key: value for key, value in values.items() if value is not None}, "attack")
    with contextlib.redirect_stdout(sys.stderr):
        copy = add_poisoned_copy(model, chosen, name)
    show(plain(copy))


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
