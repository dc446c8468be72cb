"""The process that checks one data file: ``python -m softmerge_core.data.checker FILE NAME LABELS``.

It limits its own memory and time, prints the file's facts or its problem as one JSON object, and writes its labels.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np

from softmerge_core.data.files import MAX_BYTES, check_data_file
from softmerge_core.data.kept import Facts, write_labels
from softmerge_core.errors import DataError
from softmerge_core.limits import limit_process

SECONDS = 60


def facts_of(path: Path, name: str, labels: Path) -> Facts:
    """Check a file, write its labels, and return its facts; raises DataError."""
    known = path.stat()
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    arrays, classes = check_data_file(path, name)
    kept = {key: values.astype(np.int64) for key, values in arrays.items() if key.endswith("_labels")}
    write_labels(labels, kept)
    return Facts(
        input_shape=arrays["train_inputs"].shape[1:],
        classes=classes,
        samples={key.removesuffix("_labels"): len(values) for key, values in kept.items()},
        sha256=digest,
        size=known.st_size,
        changed=known.st_mtime_ns,
    )


def main() -> None:
    """Check the file that the arguments name."""
    limit_process(3 * MAX_BYTES, SECONDS)  # three times the budget of a data file
    try:
        print(facts_of(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])).model_dump_json())
    except DataError as error:
        print(json.dumps({"problem": str(error)}))


if __name__ == "__main__":
    main()
