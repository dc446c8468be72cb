"""The tables of a bundle, and all numbers of a result by their place in it. Loads no torch."""

import csv
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from softmerge_core.events import Event
from softmerge_core.experiments import experiment
from softmerge_core.experiments.merge.rows import gates_csv
from softmerge_core.experiments.tables import as_csv
from softmerge_core.experiments.words import cell
from softmerge_core.export.bundle.manifest import TABLES
from softmerge_core.runs.store import RunView

OF_THE_MACHINE = ("seconds", "took", "memory")  # numbers that no second run gives again
TITLES = ("method", "name", "series", "title", "algorithm")  # what the rows of results are called by
ACCURACY = "accuracy"


def table_files(view: RunView, events: Sequence[Event]) -> dict[str, bytes]:
    """The tables of a run as CSV: those of its kind, all numbers of its result, and the gates of a merge."""
    spec, result = view.spec, view.result or {}
    found = {table.name: as_csv(table.head, table.rows) for table in experiment(spec.kind).tables(spec, events)}
    if result:
        found["numbers"] = _exact(
            {name: value for name, value in numbers(result).items() if not name.startswith("gates.")}
        )
    if spec.kind == "merge" and result.get("gates"):
        found["gates"] = gates_csv(result["gates"])
    return {f"{TABLES}{name}.csv": text.encode() for name, text in found.items()}


def _exact(found: Mapping[str, float | int]) -> str:
    """Numbers as CSV, with all their digits."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([("number", "value"), *((cell(name), repr(value)) for name, value in found.items())])
    return text.getvalue()


def numbers(result: Mapping[str, Any]) -> dict[str, float | int]:
    """All numbers of a result by their place in it, but for times and memory."""
    return dict(_numbers(result, ""))


def accuracies(result: Mapping[str, Any]) -> dict[str, float | int]:
    """Those of the numbers that are accuracies."""
    return {name: value for name, value in numbers(result).items() if ACCURACY in name}


def _numbers(values: Any, place: str) -> Iterator[tuple[str, float | int]]:
    if isinstance(values, bool):
        return
    if isinstance(values, (int, float)):
        if math.isfinite(values):
            yield place, values
    elif isinstance(values, Mapping):
        for key, value in values.items():
            if key not in OF_THE_MACHINE:
                yield from _numbers(value, f"{place}.{key}".lstrip("."))
    elif isinstance(values, (list, tuple)):
        for number, value in enumerate(values):
            yield from _numbers(value, f"{place}[{_title(value, number)}]")


def _title(value: Any, number: int) -> str:
    """What a row is called: by its place, and its own word where it has one."""
    known = value if isinstance(value, Mapping) else {}
    word = next((text for key in TITLES if isinstance(text := known.get(key), str) and text), "")
    return f"{number + 1}{f' {word}' if word else ''}"
