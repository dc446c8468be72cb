"""The process that checks one data file: ``python -m softmerge_core.data.checker FILE NAME LABELS PREVIEW``.

It limits its own memory and time, prints the file's facts or its problem as one JSON object, and writes its labels and
a few of its samples.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from softmerge_core.data.files import check_data_file
from softmerge_core.data.kept import Facts, write_arrays
from softmerge_core.data.limits import MAX_BYTES
from softmerge_core.data.preview import few_of_each
from softmerge_core.errors import DataError
from softmerge_core.limits import limit_process

SECONDS = 60


def facts_of(path: Path, name: str, labels: Path, preview: Path) -> Facts:
    """Check a file, write its labels and a few samples of each class, and return its facts; raises DataError."""
    known = path.stat()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    arrays, classes = check_data_file(path, name)
    kept = {key: values.astype(np.int64) for key, values in arrays.items() if key.endswith("_labels")}
    write_arrays(labels, kept)
    write_arrays(preview, few_of_each(arrays["train_inputs"], kept["train_labels"]))
    return Facts(
        input_shape=arrays["train_inputs"].shape[1:],
        classes=classes,
        samples={key.removesuffix("_labels"): len(values) for key, values in kept.items()},
        sha256=digest,
        size=known.st_size,
        changed=known.st_mtime_ns,
        class_names=tuple(arrays["class_names"].tolist()) if "class_names" in arrays else (),
        origin=str(arrays.get("origin", "")),
    )


def main() -> None:
    """Check the file that the arguments name."""
    limit_process(3 * MAX_BYTES, SECONDS)  # three times the budget of a data file
    try:
        path, name, labels, preview = sys.argv[1:5]
        print(facts_of(Path(path), name, Path(labels), Path(preview)).model_dump_json())
    except DataError as error:
        print(json.dumps({"problem": str(error)}))


if __name__ == "__main__":
    main()
