"""Test samples that a reader looks at one by one, by their places. A data file is read by a process with limits."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np

from softmerge_core.data.base import Arrays
from softmerge_core.data.files import check_data_file
from softmerge_core.data.kept import ROOT, SECONDS, data_facts, write_arrays
from softmerge_core.data.limits import MAX_BYTES
from softmerge_core.data.preview import thinned
from softmerge_core.errors import DataError, short
from softmerge_core.limits import limit_process

MOST = 10_000  # samples that are picked at once
PROCESS = "softmerge_core.data.picking"


def pick_test(dataset: str, places: Sequence[int]) -> Arrays:
    """Return "inputs" [M, ...] and "labels" [M] of the test samples at ``places``, by name of the data or ``.npz``.

    Inputs are thinned as those of previews. Raises DataError where there are no such data any more, or fewer samples.
    """
    chosen = tuple(places[:MOST])
    if not dataset.endswith(".npz"):
        return _at(_built_in(dataset), chosen, dataset)
    facts = data_facts(dataset)
    return _of_file(Path(dataset).absolute(), (facts.size, facts.changed), chosen)


@lru_cache(maxsize=64)
def _of_file(path: Path, known: tuple[int, int], places: tuple[int, ...]) -> Arrays:
    """The same of a data file, which is ``known`` by its size and time."""
    with tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
        out = Path(folder) / "picked.npz"
        command = [sys.executable, "-m", PROCESS, str(path), str(out), *map(str, places)]
        what = f"data file {short(path.name)!r}"
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False)
            with np.load(out, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in ("inputs", "labels")}
        except subprocess.TimeoutExpired as error:
            raise DataError(f"{what}: could not be read within {SECONDS} s") from error
        except (OSError, ValueError) as error:
            raise DataError(done.stderr.strip() or f"{what}: takes more memory or time than is allowed") from error


@lru_cache(maxsize=2)
def _built_in(name: str) -> Arrays:
    from softmerge_core.data import datasets

    known = datasets().get(name)
    if known is None:
        raise DataError(f"data set {short(name)!r}: there is none of this name any more")
    arrays = known.load()
    return {"inputs": arrays["test_inputs"].copy(), "labels": arrays["test_labels"].astype(np.int64)}


def _at(test: Arrays, places: Sequence[int], what: str) -> Arrays:
    found = len(test["labels"])
    if places and not 0 <= min(places) <= max(places) < found:
        raise DataError(f"{short(what)}: expected more than {max(places):,} test samples, got {found:,}")
    chosen = list(places)
    return {"inputs": thinned(test["inputs"][chosen]), "labels": test["labels"][chosen]}


def main() -> None:
    """Write the test samples of a data file that the arguments name; without any, those to validate on."""
    limit_process(3 * MAX_BYTES, SECONDS)
    path, out, *places = sys.argv[1:]
    try:
        arrays, _ = check_data_file(path)
        split = "test" if "test_inputs" in arrays else "validation"
        test = {name: arrays[f"{split}_{name}"] for name in ("inputs", "labels")}
        write_arrays(Path(out), _at(test, [int(place) for place in places], Path(path).name))
    except DataError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
