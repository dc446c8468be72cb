"""From a name to a network: zoo models, the reader's library, and weights files."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from softmerge_core.attacks import find_attack
from softmerge_core.data import Data, datasets, load_data, load_dataset
from softmerge_core.errors import CheckpointError, NotFoundError, SourceError, short
from softmerge_core.networks import build_network, network_names
from softmerge_core.registry import lookup
from softmerge_core.settings import DataSpec, SourceSpec
from softmerge_core.zoo.library import (
    WEIGHTS,
    LibraryModel,
    library,
    library_folder,
    library_model,
)
from softmerge_core.zoo.manifest import BASE, FOLDER, FamilyInfo, ModelInfo, families

if TYPE_CHECKING:
    from torch import Tensor, nn

FILE_SUFFIXES = (".safetensors", ".safetensors.index.json", ".pt", ".pth", ".bin", ".ckpt", ".pkl")
LIBRARY = "library/"


@dataclass(frozen=True)
class Source:
    """A network ready to merge; ``info`` is what its manifest says, None for a bare weights file."""

    name: str
    info: ModelInfo | None
    module: "nn.Module"


@dataclass(frozen=True)
class Family:
    """A family with its networks, in the order of ``info.models``; its data are loaded on first use."""

    info: FamilyInfo
    sources: "list[nn.Module]" = field(default_factory=list)

    @property
    def data(self) -> Data:
        """The data set the family was trained on."""
        return load_dataset(self.info.dataset)


def is_weights_file(path: str | Path) -> bool:
    """Whether a path is that of weights, by its name: of one file, or of the index of several, but of none of these."""
    name = str(path).lower()
    return name.endswith(FILE_SUFFIXES) and not re.search(r"-\d{5}-of-\d{5}\.safetensors$", name)


def find_source(model: str) -> FamilyInfo | LibraryModel | None:
    """The family or library model behind a SourceSpec's ``model``; None for a weights file. Loads no torch.

    Both results tell network, dataset, input_shape and classes. Raises NotFoundError when there is no such
    model, CheckpointError when there is no such file.
    """
    if model.startswith(LIBRARY):
        return library_model(model.removeprefix(LIBRARY))
    family, _, name = model.partition("/")
    if family in families() and name:
        _zoo_model(families()[family], name)
        return families()[family]
    if model.lower().endswith(FILE_SUFFIXES):
        if not os.path.isfile(model):
            raise CheckpointError(f"{short(Path(model).name)}: expected a weights file, found none")
        return None
    known = ", ".join(families()) or "none"
    raise NotFoundError(
        f"unknown model {model!r}; expected family/name, library/name or a weights file; families: {known}"
    )


def card_title(model: str) -> str:
    """The title on the card of a SourceSpec's ``model``; its name where it is gone, and never the path of a file."""
    family, _, name = model.partition("/")
    known: ModelInfo | None = library().get(name) if model.startswith(LIBRARY) else None
    if family in families():
        known = families()[family].model(name)
    return known.title if known else Path(model).name


def _zoo_model(family: FamilyInfo, name: str) -> ModelInfo:
    found: ModelInfo = lookup({m.name: m for m in family.everything()}, name, f"model of family {family.name!r}")
    return found


def load_source(spec: SourceSpec) -> Source:
    """The network a spec names, in evaluation mode, spoiled when the spec asks for it.

    Raises NotFoundError, CheckpointError (a file that is absent, unsafe, or not the one that was shipped) or
    SourceError (a weights file that fits none of the known networks).
    """
    from softmerge_core.zoo.spoiling import spoil_network

    source = _load(spec.model)
    if spec.attack is None:
        return source
    name = f"{source.name} ({spec.attack.kind})"
    origin, needs_data = find_source(spec.model), find_attack(spec.attack.kind).weights is None
    if needs_data and origin is None:
        raise SourceError(f"{spec.model}: add the weights file to the library first, so that its data are known")
    data = load_data(DataSpec(dataset=origin.dataset)) if needs_data and origin else None
    return Source(name, source.info, spoil_network(source.module, spec.attack, data))


def _load(model: str) -> Source:
    origin = find_source(model)
    if origin is None:
        return _load_file(Path(model))
    path, info = file_of(model, origin)
    return Source(info.name, info, _load_checked(path, origin, info))


def file_of(model: str, origin: FamilyInfo | LibraryModel) -> tuple[Path, ModelInfo]:
    """The file of a zoo or library model, and what is known of it; ``origin`` is what ``find_source`` says of it."""
    if isinstance(origin, LibraryModel):
        return library_folder() / origin.name / WEIGHTS, origin
    info = _zoo_model(origin, model.partition("/")[2])
    return FOLDER / origin.name / _file(info), info


def weights_file(model: str) -> Path:
    """The weights file of a SourceSpec's ``model``. Loads no torch; raises what ``find_source`` raises."""
    origin = find_source(model)
    return Path(model) if origin is None else file_of(model, origin)[0]


def called(path: Path) -> str:
    """What the reader knows a zoo or library model's file as."""
    return f"{path.parent.name}/{path.name}"


def _file(info: ModelInfo) -> str:
    return f"{info.name}.safetensors"


def _load_checked(path: Path, origin: FamilyInfo | LibraryModel, info: ModelInfo) -> "nn.Module":
    """The network in ``path``, which must be the file its manifest speaks of."""
    from softmerge_core.checkpoints.files import check_hash, load_checkpoint, load_into

    what = called(path)
    state = load_checkpoint(path)
    check_hash(state, info.sha256, what)
    network = build_network(origin.network, origin.input_shape, origin.classes, seed=0)
    load_into(network, state, what)
    return network.eval()


def _load_file(path: Path) -> Source:
    from softmerge_core.checkpoints.files import load_checkpoint, load_into

    state = load_checkpoint(path)
    network = build_network(*recognised(state, path.name), seed=0)
    load_into(network, state, path.name)
    return Source(path.stem, None, network.eval())


def recognise(
    state: "Mapping[str, Tensor]", input_shape: tuple[int, ...] | None = None
) -> tuple[str, tuple[int, ...], int] | None:
    """(network, input shape, classes) of the first network that a state dict fits, or None.

    The input shape is ``input_shape`` if the network can read that, else that of a built-in data set, or for one of
    torchvision's the usual size. Names may have the prefixes of wrappers.
    """
    from softmerge_core.checkpoints.wrappers import unwrapped
    from softmerge_core.zoo.recognition import recognise_shapes

    shapes = {name: tuple(value.shape) for name, value in unwrapped(state).items()}
    given = [input_shape] if input_shape else []
    return recognise_shapes(
        shapes, given or list(dict.fromkeys(dataset.input_shape for dataset in datasets().values()))
    )


def recognised(state: "Mapping[str, Tensor]", what: str) -> tuple[str, tuple[int, ...], int]:
    """The same; raises SourceError, naming the file, where there is none."""
    found = recognise(state)
    if found is None:
        raise unrecognised(what)
    return found


def unrecognised(what: str) -> SourceError:
    """The error that says of a file, called ``what``, that it is of no known network."""
    known = ", ".join(network_names())
    return SourceError(f"{what}: its layers fit none of the built-in networks ({known}), nor any of torchvision's")


def load_family(name: str) -> Family:
    """A family and all its networks; raises NotFoundError, or CheckpointError naming a file that was changed."""
    info: FamilyInfo = lookup(families(), name, "family")
    sources = [_load_checked(FOLDER / info.name / _file(model), info, model) for model in info.models]
    return Family(info, sources)


def load_base(family_name: str) -> "nn.Module | None":
    """The trunk that all sources of a family started from, in evaluation mode; None where they share none.

    Raises NotFoundError for an unknown family, CheckpointError when its file was changed.
    """
    info: FamilyInfo = lookup(families(), family_name, "family")
    return load_source(SourceSpec(model=f"{info.name}/{BASE}")).module if info.base else None
