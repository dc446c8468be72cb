"""What ``softmerge predictions`` does: what the networks of a merge predict for each test sample, as a file."""

import csv
import io
from pathlib import Path
from typing import Any

from softmerge_core.errors import RunError, SettingsError
from softmerge_core.experiments.merge.predictions import FIRST, NAME, Predictions, best_of, read_predictions
from softmerge_core.experiments.words import cell
from softmerge_core.export.merged import MergedRun, merged_run
from softmerge_core.home import write_atomic

TABLE, ARRAYS = ".csv", ".safetensors"


def predictions(what: str, out: str) -> dict[str, Any]:
    """Write what the networks of the merge run with this id or folder predict to the file ``out``; returns what it did.

    As arrays, as runs keep them (.safetensors), or as a table with a row for each test sample (.csv). What the run did
    not keep is computed from its weights. Raises SoftMergeError; a file that is there already is not overwritten.
    """
    path = Path(out).absolute()
    if path.suffix not in (TABLE, ARRAYS):
        raise SettingsError(f"{path.name}: expected a file that ends in {TABLE} or {ARRAYS}")
    if path.exists():
        raise RunError(f"{path} is there already: name another file")
    run = merged_run(what)
    kept = run.weights.with_name(f"{NAME}{ARRAYS}")
    computed = not kept.is_file()
    content = _computed(run) if computed else kept.read_bytes()
    try:
        write_atomic(path, content)
        if path.suffix == TABLE:
            names = run.result["source_names"]
            found = read_predictions(path, len(names), best_of(run.result))
            write_atomic(path, table(found, names).encode() if found else b"")
    except OSError as error:
        raise RunError(f"{path.name} could not be written ({error.strerror or error})") from error
    return {"name": run.spec.name, "out": str(path), "computed": computed}


def _computed(run: MergedRun) -> bytes:
    from softmerge_core.checkpoints.files import as_safetensors
    from softmerge_core.experiments.merge.predict_again import predict_again

    return as_safetensors(predict_again(run.spec, run.result, run.weights), NAME)


def table(found: Predictions, names: list[str]) -> str:
    """A row for each test sample as CSV: its place in the test set, its class, each network's class and confidence."""
    titles = [*FIRST, *(cell(names[place]) for place in found.sources)]
    head = ["sample", "class", *(f"{title}{what}" for title in titles for what in ("", " confidence"))]
    columns = [column for key in found.classes for column in (found.classes[key], found.confidence[key].round(4))]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    rows = [range(found.count), found.labels.tolist(), *(column.tolist() for column in columns)]
    writer.writerows(zip(*rows, strict=True))
    return text.getvalue()
