"""The network of a merge, kept in the reader's library, so that another merge can build on it."""

import contextlib
import sys
from typing import TYPE_CHECKING

from softmerge_core.events import BEST
from softmerge_core.experiments.merge.kept import AVERAGE
from softmerge_core.experiments.words import listed, source_text
from softmerge_core.export.merged import MergedRun, merged_run
from softmerge_core.numbers import usual_spaces
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
        return _add(run, module, name, title or _title(run))


def kept_before(sha256: str) -> LibraryModel | None:
    """The library's model that is this merged network already, by the hash of its tensors. Loads no torch."""
    return next((model for model in library().values() if model.origin == ORIGIN and model.sha256 == sha256), None)


def _title(run: MergedRun) -> str:
    """A title that tells the network from all others of the library."""
    from softmerge_core.checks import unique_names

    wanted = f"Merged: {run.spec.name}" if run.spec.name else "Merged network"
    return unique_names([wanted], [model.title for model in library().values()])[0]


def _network(run: MergedRun) -> "nn.Module":
    from softmerge_core.checkpoints.files import load_checkpoint, load_into
    from softmerge_core.networks import build_network

    network = build_network(run.lineage.network, run.lineage.input_shape, run.lineage.classes, seed=0)
    load_into(network, load_checkpoint(run.weights), f"merged weights of run {run.id!r}")
    return network.eval()


def _add(run: MergedRun, module: "nn.Module", name: str, title: str) -> LibraryModel:
    from softmerge_core.data import load_data
    from softmerge_core.settings import DataSpec
    from softmerge_core.zoo import add_to_library
    from softmerge_core.zoo.layers import scores

    dataset = run.spec.data.dataset
    accuracy, loss = scores(module, load_data(DataSpec(dataset=dataset)))
    return add_to_library(
        name or slug(title),
        module,
        origin=ORIGIN,
        network=run.lineage.network,
        dataset=dataset,
        input_shape=run.lineage.input_shape,
        classes=run.lineage.classes,
        how=how(run),
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
