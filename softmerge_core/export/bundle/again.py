"""The run of a bundle done again, and its numbers beside those that were recorded. Loads torch when it runs."""

import contextlib
import platform
import sys
from pathlib import Path

from softmerge_core.errors import RunError, SoftMergeError
from softmerge_core.experiments.merge.lineage import own_version, versions
from softmerge_core.export.bundle.bringing import take_over
from softmerge_core.export.bundle.manifest import Manifest
from softmerge_core.export.bundle.tables import accuracies, numbers
from softmerge_core.export.bundle.unpacking import read_folder
from softmerge_core.export.bundle.words import lines
from softmerge_core.runs import RunStore, files
from softmerge_core.runs.store import read_spec
from softmerge_core.runs.warm import one_thread
from softmerge_core.runs.writer import conduct

SHOWN = 60  # accuracies that are printed; of more the rest are counted
SAME, OTHER, FAILED = 0, 1, 2  # exit codes


def run_again(bundle: Path) -> int:
    """Run the experiment of the bundle unpacked in ``bundle`` again, in this process's own home, and print how it went.

    Returns 0 where every number is the same to the last digit, 1 where one is not, 2 after an error.
    """
    try:
        manifest = read_folder(bundle, bundle.name)
        print(_heading(manifest), flush=True)
        before, after = _both(bundle, manifest)
    except SoftMergeError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return FAILED
    return _compare(before, after)


def _heading(manifest: Manifest) -> str:
    here = {**versions(), "softmerge": own_version()}
    there = {**manifest.versions, "softmerge": manifest.softmerge}
    other = [f"{name} {here[name]} ({there[name]} there)" for name in here if there.get(name) != here[name]]
    if (machine := f"{platform.system()} {platform.machine()}") != manifest.platform:
        other.append(f"{machine} ({manifest.platform} there)")
    known = f"Soft Merge {manifest.softmerge}, as where it was packed"
    return f"{manifest.name or manifest.kind}\n" + (
        "Other than where it was packed: " + ", ".join(other) if other else known
    )


def _both(bundle: Path, manifest: Manifest) -> tuple[dict[str, object], dict[str, object]]:
    """(the recorded result, the result of running it again)."""
    import shutil

    store = RunStore()
    copied = store.root / ".bundle"
    shutil.copytree(bundle, copied)
    recorded = store.folder(take_over(copied, manifest, store).run_id)
    folder = store.folder(store.create(read_spec(recorded)))
    with contextlib.redirect_stdout(sys.stderr):
        one_thread()
        status = conduct(folder)
    if status != "finished":
        raise RunError(f"it is {status}: {(files.read_json(folder / files.END) or {}).get('error')}")
    return files.read_json(recorded / files.RESULT) or {}, files.read_json(folder / files.RESULT) or {}


def _compare(before: dict[str, object], after: dict[str, object]) -> int:
    """Print both results' accuracies, and whether all numbers are the same."""
    recorded, now = numbers(before), numbers(after)
    shown = list(dict.fromkeys([*accuracies(before), *accuracies(after)]))
    rows = [("accuracy", "recorded", "now", "")]
    for name in shown[:SHOWN]:
        old, new = recorded.get(name), now.get(name)
        rows.append((name, repr(old), repr(new), "same" if old == new else "OTHER"))
    print(lines(rows))
    different = [name for name in recorded.keys() | now.keys() if recorded.get(name) != now.get(name)]
    print(f"{len(recorded):,} numbers in all: {f'{len(different):,} are other' if different else 'all are the same'}.")
    return OTHER if different else SAME
