"""Small records of runs, one of each kind, cut from the shipped examples so that they are read and drawn in no time."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from softmerge_core.events import AnyEvent, Boundary, Evaluation, Loss, Notice, Points, Progress
from softmerge_core.experiments import experiment
from softmerge_core.runs import RunStore, files
from softmerge_core.runs.store import create_folder

LONGEST = 4  # of the lists that are kept of an event
EACH = 2  # events of each kind and series: the first ones and the last ones
TRAINED: tuple[AnyEvent, ...] = (
    Progress(step=1, total=2),
    Loss(step=1, series="s", task=0.5, total=0.5),
    Evaluation(step=2, series="s", split="validation", accuracy=0.5, loss=0.7),
    Notice(step=2, text="It is enough."),
)
PLANE: tuple[AnyEvent, ...] = (
    Points(step=0, x=(0.0, 1.0), y=(0.0, 1.0), labels=(0, 1)),
    Boundary(step=1, series="soft", extent=(0.0, 1.0, 0.0, 1.0), size=2, classes=(0, 1, 1, 0), kept=True),
)


def record(store: RunStore) -> list[str]:
    """Put a finished run of each kind into the store, under the name of its kind; returns the kinds."""
    for example in store.examples():
        folder = store.root / example.kind
        if folder.exists():
            continue
        shutil.copytree(store.folder(example.id), folder, ignore=shutil.ignore_patterns("weights"))
        events = [*_thinned(folder / files.EVENTS), *(PLANE if example.kind == "merge" else ())]
        _write(folder, events, cut(json.loads((folder / files.RESULT).read_text())))
    folder = store.root / "train"
    create_folder(folder, experiment("train").small())
    _write(folder, TRAINED, {"library": "mine", "seconds": 1.5})
    files.write_json(folder / files.END, {"status": "finished", "attempt": 1})
    for folder in store.root.iterdir():
        files.write_json(folder / files.QUEUE, {"attempt": 1, **files.this_process()})
        files.write_json(folder / files.BEGUN, {"attempt": 1})
    return sorted(folder.name for folder in store.root.iterdir())


def _write(folder: Path, events: Any, result: dict[str, Any]) -> None:
    lines = [event if isinstance(event, str) else event.model_dump_json() for event in events]
    (folder / files.EVENTS).write_text("".join(f"{line}\n" for line in lines))
    files.write_json(folder / files.RESULT, result)


def cut(value: Any) -> Any:
    """JSON values with only the first items of every list."""
    if isinstance(value, dict):
        return {key: cut(inner) for key, inner in value.items()}
    return [cut(inner) for inner in value[:LONGEST]] if isinstance(value, list) else value


def _thinned(path: Path) -> Iterator[str]:
    """The first and last events of each kind and series, with short lists."""
    events = [json.loads(line) for line in path.read_text().splitlines()]
    groups: dict[tuple[str, str], list[int]] = {}
    for place, event in enumerate(events):
        if event["kind"] != "plane_rows" or event["first"] + len(event["loss"]) <= LONGEST:
            groups.setdefault((event["kind"], event.get("series", "").partition(":")[0]), []).append(place)
    kept = {place for found in groups.values() for place in found[:EACH] + found[-EACH:]}
    return (json.dumps(cut(event)) for place, event in enumerate(events) if place in kept)
