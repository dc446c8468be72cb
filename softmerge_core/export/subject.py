"""What is exported: the network that a merge kept, or a model of the library or of a family. Loads torch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from torch import Tensor, nn

from softmerge_core.checkpoints.files import load_checkpoint, load_into, state_hash
from softmerge_core.checkpoints.metadata import read_metadata
from softmerge_core.errors import NotFoundError, SoftMergeError
from softmerge_core.evaluation import has_batchnorm
from softmerge_core.experiments.merge.lineage import (
    DataOrigin,
    data_origin,
    network_origin,
    portable,
    remarks,
    versions,
)
from softmerge_core.experiments.merge.rows import gates_csv
from softmerge_core.export.card import Told, card
from softmerge_core.export.merged import MergedRun, merged_run
from softmerge_core.export.model_card import model_card
from softmerge_core.export.scaling import Scaling, scaling_of
from softmerge_core.export.script import script_name
from softmerge_core.export.source_code import Kind
from softmerge_core.networks import build_network
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import families, find_source, load_source
from softmerge_core.zoo.sources import file_of

MERGED, MODEL = "merged", "model"  # what the files are called
ABOUT = {
    "{stem}.safetensors": "the weights, without anything that could be run; what made them is in its metadata",
    "{stem}.pt": 'the same for PyTorch: `torch.load("{stem}.pt", weights_only=True)` is its state dict',
    "{stem}.onnx": "the network itself for other runtimes (ONNX)",
    "{script}": "rebuilds the network, loads the weights and classifies a sample",
    "recipe.json": "all settings of the merge, to do it again with the tool that made this",
    "gates.csv": "every gate of every part",
}
Files = Sequence[tuple[str, str]]  # (name, what it is)


@dataclass(frozen=True)
class Subject:
    """A network to take along. ``stem``: what its files are called; ``metadata``: what its safetensors file says.

    ``dataset`` is a name or the path of an .npz, and ``scaling`` what it says of itself; ``extras``: further files, by
    name, that come with everything.
    """

    stem: str
    title: str
    kind: Kind
    dataset: str
    state: Mapping[str, Tensor] = field(repr=False)
    metadata: Mapping[str, str]
    card: Callable[[Files], str] = field(repr=False)
    extras: Mapping[str, str] = field(default_factory=dict, repr=False)
    scaling: Scaling = field(default_factory=Scaling)

    @cached_property
    def network(self) -> nn.Module:
        """The network, on the CPU and in evaluation mode; raises CheckpointError where the weights do not fit it."""
        network = build_network(*self.kind, seed=0)
        load_into(network, self.state, f"{self.stem} weights")
        return network.eval()


def open_subject(what: str) -> Subject:
    """The network that ``what`` names: the id or folder of a merge run, library/name, or family/name.

    Raises NotFoundError, RunError, CheckpointError, or what else its reading raises.
    """
    home, _, name = what.partition("/")
    if name and (home == "library" or home in families()):
        return _model(what)
    return _merged(merged_run(what))


def _merged(run: MergedRun) -> Subject:
    lineage = run.lineage
    state = load_checkpoint(run.weights)
    network = build_network(lineage.network, lineage.input_shape, lineage.classes, seed=0)
    scaling = scaling_of(run.spec.data.dataset, lineage.input_shape, lineage.classes)
    told = Told(
        run_id=run.id,
        spec=run.spec,
        result=run.result,
        lineage=lineage,
        recorded=run.recorded,
        tensors_sha256=state_hash(state),
        batch_norm=has_batchnorm(network),
        scaling=scaling,
    )
    spec = portable(run.spec)
    extras = {"recipe.json": spec.model_dump_json(indent=2) + "\n"}
    if gates := run.result.get("gates"):
        extras["gates.csv"] = gates_csv(gates)
    return Subject(
        stem=MERGED,
        title=run.spec.name or "A merged network",
        kind=(lineage.network, lineage.input_shape, lineage.classes),
        dataset=run.spec.data.dataset,
        scaling=scaling,
        state=state,
        metadata=read_metadata(run.weights) if run.recorded else remarks(run.spec, lineage, state),
        card=partial(card, told),
        extras=extras,
    )


def _model(what: str) -> Subject:
    home = find_source(what)
    if home is None:  # the form of the name says that there is one
        raise NotFoundError(f"no model {what!r}")
    source = load_source(SourceSpec(model=what))
    info, made = file_of(what, home)[1], versions()
    scaling = scaling_of(home.dataset, home.input_shape, home.classes)
    return Subject(
        stem=MODEL,
        title=info.title,
        kind=(home.network, home.input_shape, home.classes),
        dataset=home.dataset,
        scaling=scaling,
        state=source.module.state_dict(),
        metadata={"format": "pt", "softmerge.model": what, "softmerge.tensors_sha256": info.sha256},
        card=partial(model_card, what, info, home, _data(home.dataset), made, network_origin(home.network), scaling),
    )


def _data(dataset: str) -> DataOrigin | None:
    try:
        return data_origin(dataset)
    except SoftMergeError:
        return None


def about(stem: str, names: Iterable[str]) -> Files:
    """What the files called ``names`` are."""
    known = {name.format(stem=stem, script=script_name(stem)): what.format(stem=stem) for name, what in ABOUT.items()}
    return [(name, known[name]) for name in names]
