"""A merge run whose network can be taken along: found by its id or folder, with what it was made of. Loads no torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from softmerge_core.checkpoints.metadata import read_metadata
from softmerge_core.errors import NotFoundError, RunError
from softmerge_core.experiments.merge.lineage import Lineage, lineage_of, recorded
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.runs import RunStore, files
from softmerge_core.runs.store import EXAMPLE, read_run

WHAT = "expected the id or the folder of a run, library/name, or family/name"
NAME = "merged"  # of the weights that such a run keeps


@dataclass(frozen=True)
class MergedRun:
    """A merge that has ended. ``recorded``: its file says what it was made of; else that is looked up as it is now."""

    id: str
    spec: MergeSpec
    result: Mapping[str, Any]
    weights: Path
    lineage: Lineage
    recorded: bool


def merged_run(what: str) -> MergedRun:
    """The run of this id, or in this folder; raises NotFoundError, or RunError where it has no merged network."""
    folder = run_folder(what)
    view = read_run(folder, what if what.startswith(EXAMPLE) else folder.name)
    spec = view.spec
    if not isinstance(spec, MergeSpec):
        other = "; networks that were trained are taken as library/NAME"
        raise RunError(f"run {view.id!r} is no merge: expected kind 'merge', got {spec.kind!r}{other}")
    if view.result is None:
        raise RunError(f"run {view.id!r} has no result: {view.harm or f'it is {view.status}'}")
    named = [view.result["source_names"], *([gates["sources"]] if (gates := view.result.get("gates")) else [])]
    if any(len(names) != len(spec.sources) for names in named):
        raise RunError(f"run {view.id!r}: its result is not of the {len(spec.sources)} sources that its spec names")
    weights = files.weights_path(folder, NAME)
    if not weights.is_file():
        raise NotFoundError(f"run {view.id!r} kept no weights called {NAME!r}")
    lineage = recorded(read_metadata(weights))
    if lineage is not None and len(lineage.sources) != len(spec.sources):
        lineage = None  # of another run
    return MergedRun(view.id, spec, view.result, weights, lineage or lineage_of(spec), lineage is not None)


def run_folder(what: str, expected: str = WHAT) -> Path:
    """The folder of a run, by its id or its own path; raises NotFoundError, which says what was ``expected``."""
    try:
        path = Path(what)
        if (path / files.MANIFEST).is_file():
            return path.absolute()
    except (OSError, ValueError):  # no path at all
        pass
    try:
        return RunStore().folder(what)
    except NotFoundError as error:
        raise NotFoundError(f"{error}: {expected}") from error
