"""A run that has ended as a bundle: one ZIP archive. Torch is loaded only for weights files that lie anywhere."""

import contextlib
import io
import json
import os
import platform
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from softmerge_core.errors import RunError
from softmerge_core.experiments.merge.lineage import own_version, versions
from softmerge_core.export.bundle import manifest as known
from softmerge_core.export.bundle.manifest import Entry, LeftOut, Manifest
from softmerge_core.export.bundle.own import Own, anonymous, own_things
from softmerge_core.export.bundle.pictures import picture_files
from softmerge_core.export.bundle.stills import NONE, still_files
from softmerge_core.export.bundle.tables import table_files
from softmerge_core.export.bundle.words import readme, script
from softmerge_core.runs import files
from softmerge_core.runs.labels import LABELS, read_labels
from softmerge_core.runs.log import read_log
from softmerge_core.runs.status import ENDED
from softmerge_core.runs.store import RunView, read_run

LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the time of all files in the archive
PACKED_SO = (".json", ".jsonl", ".csv", ".txt", ".py", ".svg", ".html")  # endings of what gets smaller
Content = bytes | Path
IMPORTED_TAG = "imported"


def pack(folder: Path, run_id: str, out: Path, pictures: Path | None = None) -> Manifest:
    """Write the bundle of the run in ``folder`` to the file ``out``, whole or not at all; returns its manifest.

    ``pictures``: a folder with SVG and PNG files that are packed along. Raises RunError where the run has not ended or
    cannot be read, or the file cannot be written.
    """
    view = read_run(folder, run_id)
    if view.status not in ENDED:
        raise RunError(f"run {run_id!r} is {view.status}: a bundle is made of a run that has ended")
    things, gone = own_things(view.spec.model_dump(mode="json"))
    content: dict[str, Content] = {**_of_the_run(folder, things)}
    with contextlib.ExitStack() as stack:
        content |= stack.enter_context(_of_ones_own(things))
        content |= table_files(view, _events(folder))
        drawn = picture_files(pictures) or still_files(view, folder)
        content, large = _small_enough(content | drawn)
        manifest = _manifest(view, folder, content, (*gone, *large, *(() if drawn else (NONE,))))
        texts = {known.SCRIPT: script(manifest).encode(), known.README: readme(manifest, view).encode()}
        manifest = manifest.model_copy(update={"files": manifest.files | _entries(texts)})
        _write(out, {**content, **texts}, manifest)
    return manifest


def run_digest(folder: Path) -> str:
    """The digest that the bundle of the run in ``folder`` has."""
    things, _ = own_things(read_run(folder, folder.name, 2**62).spec.model_dump(mode="json"))
    content, _ = _small_enough(_of_the_run(folder, things))
    return known.digest(_entries(content))


def _of_the_run(folder: Path, things: list[Own]) -> dict[str, Content]:
    """The files of a run's folder that are packed: never who owns it, nor what steers it."""
    content: dict[str, Content] = {}
    for name in (files.MANIFEST, files.SPEC, files.EVENTS, files.RESULT, files.END):
        path = folder / name
        if path.is_file():
            with files.writing(folder.name):
                content[f"{known.RUN}{name}"] = anonymous(path.read_bytes(), things)
    labels = read_labels(folder)
    labels = labels._replace(tags=tuple(tag for tag in labels.tags if tag != IMPORTED_TAG))
    if any(labels):
        content[f"{known.RUN}{LABELS}"] = json.dumps(labels._asdict()).encode()
    for path in sorted((folder / files.WEIGHTS).glob("*.safetensors")):
        content[f"{known.RUN}{files.WEIGHTS}/{path.name}"] = path
    return {name: what for name, what in content.items() if known.MEMBER.fullmatch(name)}


@contextlib.contextmanager
def _of_ones_own(things: list[Own]) -> Iterator[dict[str, Content]]:
    """The models, data and weights files that the run used."""
    content: dict[str, Content] = {}
    for thing in things:
        if thing.model is not None:
            info = anonymous(thing.model.model_dump_json(indent=1).encode(), things)
            content[f"{thing.name}/{known.MODEL_INFO}"] = info
            content[f"{thing.name}/{known.MODEL_WEIGHTS}"] = thing.path / "weights.safetensors"
        elif thing.kind == "data":
            content[thing.name] = thing.path
        else:
            content[thing.name] = _as_safetensors(thing.path)
    yield content


def _as_safetensors(path: Path) -> bytes:
    """A weights file of any form in the one form that holds nothing that could be run."""
    from softmerge_core.checkpoints.files import as_safetensors, load_checkpoint

    return as_safetensors(load_checkpoint(path), path.name, {"format": "pt"})


def _events(folder: Path) -> list[Any]:
    found, at = list[Any](), 0
    while (piece := read_log(folder / files.EVENTS, at)).next > at:
        found += piece.events
        at = piece.next
    return found


def _small_enough(content: Mapping[str, Content]) -> tuple[dict[str, Content], list[LeftOut]]:
    """The files that are packed, and those that are too large."""
    kept, left, total = dict[str, Content](), list[LeftOut](), 0
    for name, what in content.items():
        size = len(what) if isinstance(what, bytes) else what.stat().st_size
        most = files.MOST_BYTES if name.removeprefix(known.RUN) in known.SMALL else known.LARGEST
        if size > most or total + size > known.TOGETHER:
            limits = f"a bundle takes {most >> 20} MiB of it, and {known.TOGETHER >> 20} MiB in all"
            left.append(LeftOut(file=name, why=f"it has {size / 2**20:,.0f} MiB; {limits}"))
        else:
            kept[name], total = what, total + size
    return kept, left


def _entries(content: Mapping[str, Content]) -> dict[str, Entry]:
    return {name: known.entry_of(what) for name, what in content.items()}


def _manifest(view: RunView, folder: Path, content: Mapping[str, Content], left_out: tuple[LeftOut, ...]) -> Manifest:
    entries = _entries(content)
    made = files.read_json(folder / files.MANIFEST) or {}
    numbers = {name: number for name, number in versions().items() if name != "softmerge"}
    return Manifest(
        format=known.FORMAT,
        softmerge=own_version(),
        versions=numbers | {"numpy": version("numpy")},
        platform=f"{platform.system()} {platform.machine()}",
        kind=view.spec.kind,
        name=read_labels(folder).name or view.spec.name,
        run=view.id,
        created=str(made.get("created", "")),
        exported=datetime.now(UTC).isoformat(timespec="seconds"),
        seeds=dict(_seeds(view.spec.model_dump(mode="json"))),
        digest=known.digest(entries),
        left_out=left_out,
        files=entries,
    )


def _seeds(values: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """(place, value) of every seed in the plain values of a spec."""
    pairs = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    for key, value in pairs:
        where = f"{place}.{key}".lstrip(".")
        if isinstance(key, str) and key in ("seed", "seeds"):
            yield where, value
        else:
            yield from _seeds(value, where)


def _write(out: Path, content: Mapping[str, Content], manifest: Manifest) -> None:
    """Write the archive beside its place, then move it there."""
    building = out.with_name(f".{out.name}.{os.getpid()}.new")
    try:
        with zipfile.ZipFile(building, "w") as archive:
            _add(archive, known.MANIFEST, manifest.model_dump_json(indent=1).encode())
            for name, what in content.items():
                _add(archive, name, what)
        building.replace(out)
    except OSError as error:
        with contextlib.suppress(OSError):
            building.unlink()
        raise RunError(f"{out.name} could not be written ({error.strerror or error})") from error


def _add(archive: zipfile.ZipFile, name: str, what: Content) -> None:
    info = zipfile.ZipInfo(name, LONG_AGO)
    info.external_attr = 0o644 << 16
    info.compress_type = zipfile.ZIP_DEFLATED if name.endswith(PACKED_SO) else zipfile.ZIP_STORED
    opened = io.BytesIO(what) if isinstance(what, bytes) else what.open("rb")
    with opened as given, archive.open(info, "w", force_zip64=True) as file:
        while piece := given.read(1 << 20):
            file.write(piece)
