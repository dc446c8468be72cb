"""What a merged network was made of, and with what: written into its file, so that it can be told wherever it goes.

The recipe is the run's spec; the lineage says what a spec only names: the tensors of each source, the data, the
network and the versions. Paths of the reader's own files are left out, for the file is made to be handed on.
"""

import hashlib
import platform
import tomllib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from softmerge_core.data import data_facts, datasets
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.networks import registered
from softmerge_core.settings import Frozen
from softmerge_core.zoo import BASE, card_title, families, find_source, is_weights_file
from softmerge_core.zoo.sources import file_of, recognised

if TYPE_CHECKING:
    from torch import Tensor

RECIPE, LINEAGE, TENSORS = "softmerge.recipe", "softmerge.lineage", "softmerge.tensors_sha256"
UNKNOWN = "unknown"


class Origin(Frozen):
    """A network that went into a merge; ``sha256`` is of its tensors (``checkpoints.state_hash``) or of its file."""

    model: str
    title: str
    sha256: str
    of: Literal["tensors", "file"]


class DataOrigin(Frozen):
    """The data of a merge; ``sha256`` is of the arrays (``arrays_hash``) or of the file.

    ``tested_on``: the samples that accuracies were measured on; a file without test samples lends its validation ones.
    """

    dataset: str
    title: str
    sha256: str
    of: Literal["arrays", "file"]
    tested_on: Literal["test", "validation"]


class NetworkOrigin(Frozen):
    """The reader's file of Python that registered a network; ``sha256``: of the file as it was run, "" if unknown."""

    file: str
    sha256: str


class Lineage(Frozen):
    """What made a merged network; ``versions``: of python, torch, torchvision and softmerge, when it was made.

    ``registered``: where its architecture comes from, if it is not one of those that ship.
    """

    network: str
    input_shape: tuple[int, ...]
    classes: int
    sources: tuple[Origin, ...]
    base: Origin | None = None
    data: DataOrigin
    versions: dict[str, str]
    registered: NetworkOrigin | None = None


def lineage_of(spec: MergeSpec) -> Lineage:
    """The lineage of what ``spec`` makes, as its files are now; raises what ``find_source`` and ``data_facts`` do."""
    network, input_shape, classes = kind_of(spec.sources[0].model)
    homes = {source.model.partition("/")[0] for source in spec.sources}
    family = families().get(next(iter(homes))) if len(homes) == 1 else None
    base = origin_of(f"{family.name}/{BASE}") if spec.settings.relative and family and family.base else None
    return Lineage(
        network=network,
        input_shape=input_shape,
        classes=classes,
        sources=tuple(origin_of(source.model) for source in spec.sources),
        base=base,
        data=data_origin(spec.data.dataset),
        versions=versions(),
        registered=network_origin(network),
    )


def kind_of(model: str) -> tuple[str, tuple[int, ...], int]:
    """(network, input shape, classes) of a SourceSpec's ``model``; a bare weights file is read for it."""
    if (origin := find_source(model)) is not None:
        return origin.network, origin.input_shape, origin.classes
    from softmerge_core.checkpoints.files import load_checkpoint

    return recognised(load_checkpoint(model, mapped=True), Path(model).name)


def origin_of(model: str) -> Origin:
    """The name, title and hash of a SourceSpec's ``model``."""
    found, title = find_source(model), card_title(model)
    if found is not None:
        return Origin(model=model, title=title, sha256=file_of(model, found)[1].sha256, of="tensors")
    with Path(model).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Origin(model=Path(model).name, title=title, sha256=digest, of="file")


def data_origin(dataset: str) -> DataOrigin:
    """The title and hash of a data set, built in or from a file."""
    if (known := datasets().get(dataset)) is not None:
        digest = arrays_hash(known.load())
        return DataOrigin(dataset=dataset, title=known.title, sha256=digest, of="arrays", tested_on="test")
    facts, path = data_facts(dataset), Path(dataset)
    tested: Literal["test", "validation"] = "test" if "test" in facts.samples else "validation"
    return DataOrigin(dataset=path.name, title=path.stem, sha256=facts.sha256, of="file", tested_on=tested)


def network_origin(network: str) -> NetworkOrigin | None:
    """The file that registered an architecture; None for one that ships, or that nobody knows any more."""
    known = registered().get(network)
    return NetworkOrigin(file=known.file, sha256=known.sha256) if known else None


def arrays_hash(arrays: Mapping[str, object]) -> str:
    """SHA-256 (hex) over names, dtypes, shapes and bytes of arrays, in the order of their names."""
    import numpy as np

    digest = hashlib.sha256()
    for name, values in sorted(arrays.items()):
        array = np.ascontiguousarray(values)
        digest.update(f"{name}\0{array.dtype}\0{array.shape}\0".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


def versions() -> dict[str, str]:
    """The versions of Python, of this project and of what networks are computed with."""
    found = {name: _version(name) for name in ("torch", "torchvision")}
    return {"python": platform.python_version(), **found, "softmerge": own_version()}


def own_version() -> str:
    """The version of this project, installed or in a checkout."""
    if (found := _version("softmerge")) != UNKNOWN:
        return found
    try:
        stated = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
        return str(stated["project"]["version"])
    except (OSError, ValueError, KeyError):
        return UNKNOWN


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return UNKNOWN


def portable(spec: MergeSpec) -> MergeSpec:
    """``spec`` with the bare names of files instead of their paths: it runs where these lie in the working folder."""
    sources = tuple(
        source.model_copy(update={"model": Path(source.model).name}) if is_weights_file(source.model) else source
        for source in spec.sources
    )
    own_data = spec.data.dataset not in datasets()
    data = spec.data.model_copy(update={"dataset": Path(spec.data.dataset).name}) if own_data else spec.data
    return spec.model_copy(update={"sources": sources, "data": data})


def remarks(spec: MergeSpec, lineage: Lineage, state: "Mapping[str, Tensor]") -> dict[str, str]:
    """The metadata of a merged network's file: recipe, lineage, and the hash of its tensors.

    "format" is what other readers of safetensors ask for.
    """
    from softmerge_core.checkpoints.files import state_hash

    recipe, told = portable(spec).model_dump_json(), lineage.model_dump_json()
    return {"format": "pt", RECIPE: recipe, LINEAGE: told, TENSORS: state_hash(state)}


def recorded(metadata: Mapping[str, str]) -> Lineage | None:
    """The lineage in a file's metadata; None where there is none, or what is there is something else."""
    try:
        return Lineage.model_validate_json(metadata.get(LINEAGE, ""))
    except ValidationError:
        return None
