"""A network that a run made, kept in the reader's library, so that a merge can build on it."""

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from softmerge_core.checkpoints.metadata import read_metadata
from softmerge_core.errors import CheckpointError, NotFoundError, RunError
from softmerge_core.events import BEST
from softmerge_core.experiments.made import Made, recorded_made
from softmerge_core.experiments.merge.kept import AVERAGE
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.experiments.words import listed, source_text
from softmerge_core.export.merged import MergedRun, merged_run, run_folder
from softmerge_core.numbers import usual_spaces
from softmerge_core.runs import files
from softmerge_core.runs.store import read_spec
from softmerge_core.zoo import LibraryModel, library, slug
from softmerge_core.zoo.library import Origin

if TYPE_CHECKING:
    from torch import nn

ORIGIN: Origin = "merged"


def keep_merged(what: str, name: str = "", title: str = "") -> LibraryModel:
    """Keep the network of the merge run with this id or folder, measured on its data; returns the library's model.

    The same network is kept once. Raises NotFoundError, RunError, CheckpointError or DataError, and keeps nothing then.
    """
    from softmerge_core.checkpoints.files import state_hash

    run = merged_run(what)
    with contextlib.redirect_stdout(sys.stderr):
        module = _network(run)
        if (before := kept_before(state_hash(module.state_dict()))) is not None:
            return before
        kind = run.lineage.network, run.lineage.input_shape, run.lineage.classes
        return _add(module, Described(*kind, run.spec.data.dataset, how(run)), name, title or _title(run))


def keep_network(what: str, file: str = "", name: str = "", title: str = "") -> LibraryModel:
    """Keep a network of the run with this id or folder, as ``keep_merged`` does; runs of other kinds may have several.

    ``file``: the name under which the run kept it; it may be left out where there is one. Raises what that does.
    """
    folder = run_folder(what)
    spec = read_spec(folder)
    if isinstance(spec, MergeSpec):
        return keep_merged(what, name, title)
    made = networks_of(folder)
    if not made:
        raise RunError(f"run {folder.name!r} kept no network that can be taken into the library")
    if file not in made and (file or len(made) > 1):
        raise NotFoundError(f"run {folder.name!r} has no network {file!r}: expected one of {', '.join(made)}")
    file = file or next(iter(made))
    with contextlib.redirect_stdout(sys.stderr):
        return _keep_made(folder, file, made[file], name, title)


def networks_of(folder: Path) -> dict[str, Made]:
    """What a run kept besides merges, by the name of each file; what cannot be read is left out. Loads no torch."""
    found = {}
    for path in sorted((folder / files.WEIGHTS).glob("*.safetensors")):
        with contextlib.suppress(CheckpointError):
            if (made := recorded_made(read_metadata(path))) is not None:
                found[path.stem] = made
    return found


def _keep_made(folder: Path, file: str, made: Made, name: str, title: str) -> LibraryModel:
    from softmerge_core.checkpoints.files import load_checkpoint, load_into, state_hash
    from softmerge_core.networks import build_network

    module = build_network(made.network, made.input_shape, made.classes, seed=0)
    load_into(module, load_checkpoint(files.weights_path(folder, file)), f"network {file!r} of run {folder.name!r}")
    if (before := kept_before(state_hash(module.state_dict()))) is not None:
        return before
    spec = read_spec(folder)
    dataset = spec.data.dataset if "data" in dict(spec) else spec.dataset  # type: ignore[attr-defined]
    told = Described(made.network, made.input_shape, made.classes, dataset, f"{made.how} (run {folder.name}).")
    return _add(module.eval(), told, name, title or _free(made.title))


class Described(NamedTuple):
    """What the library says of a network."""

    network: str
    input_shape: tuple[int, ...]
    classes: int
    dataset: str
    how: str


def kept_before(sha256: str) -> LibraryModel | None:
    """The library's model that is this merged network already, by the hash of its tensors. Loads no torch."""
    return next((model for model in library().values() if model.origin == ORIGIN and model.sha256 == sha256), None)


def _title(run: MergedRun) -> str:
    """A title that tells the network from all others of the library."""
    return _free(f"Merged: {run.spec.name}" if run.spec.name else "Merged network")


def _free(wanted: str) -> str:
    """The title, with a number where another network of the library has it."""
    from softmerge_core.checks import unique_names

    return unique_names([wanted], [model.title for model in library().values()])[0]


def _network(run: MergedRun) -> "nn.Module":
    from softmerge_core.checkpoints.files import load_checkpoint, load_into
    from softmerge_core.networks import build_network

    network = build_network(run.lineage.network, run.lineage.input_shape, run.lineage.classes, seed=0)
    load_into(network, load_checkpoint(run.weights), f"merged weights of run {run.id!r}")
    return network.eval()


def _add(module: "nn.Module", told: Described, name: str, title: str) -> LibraryModel:
    from softmerge_core.data import load_data
    from softmerge_core.settings import DataSpec
    from softmerge_core.zoo import add_to_library
    from softmerge_core.zoo.layers import scores

    accuracy, loss = scores(module, load_data(DataSpec(dataset=told.dataset)))
    return add_to_library(
        name or slug(title),
        module,
        origin=ORIGIN,
        network=told.network,
        dataset=told.dataset,
        input_shape=told.input_shape,
        classes=told.classes,
        how=usual_spaces(told.how),
        title=title,
        accuracy=accuracy,
        loss=loss,
    )


def how(run: MergedRun) -> str:
    """How the network came about, in one sentence."""
    sources = listed([source_text(name) for name in run.result["source_names"]])
    winner = str(run.result.get("winner") or "")
    made = {BEST: "the best source won and was kept as it is", AVERAGE: "their plain average won"}.get(
        winner, "by gates over their weights"
    )
    joint = ", where " if winner in (BEST, AVERAGE) else " "
    return usual_spaces(f"Merged from {sources}{joint}{made} (seed {run.spec.settings.seed}, run {run.id}).")
