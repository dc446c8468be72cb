"""Models that the reader brings along or spoils, kept in the library."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from softmerge_core.attacks import find_attack
from softmerge_core.data import Data, load_data
from softmerge_core.errors import SourceError
from softmerge_core.networks import build_network
from softmerge_core.settings import AttackSettings, DataSpec, SourceSpec
from softmerge_core.zoo.library import KIND, LibraryModel, add_to_library, library, slug
from softmerge_core.zoo.manifest import FamilyInfo
from softmerge_core.zoo.sources import LIBRARY, card_title, find_source, load_source, recognise, unrecognised

if TYPE_CHECKING:
    from torch import Tensor, nn


def add_file_to_library(
    path: str | Path,
    name: str,
    network: str,
    dataset: str,
    title: str = "",
    *,
    classes: int | None = None,
    like: str = "",
) -> LibraryModel:
    """Keep a weights file as a model, evaluated on ``dataset`` (a name or an .npz).

    ``network``: what it is, with so many ``classes``, by default those of the data; where it is empty, what the file's
    tensors fit. If they fit nothing, the layer is named by which they are no network ``like`` that one. The same file
    under the same ``title`` is kept once. Raises CheckpointError or SourceError when the file is unsafe or does not
    fit; nothing is kept then.
    """
    from softmerge_core.checkpoints.files import load_checkpoint, load_into
    from softmerge_core.zoo.layers import scores

    data, what = load_data(DataSpec(dataset=dataset)), Path(path).name
    state = load_checkpoint(path)
    if not network:
        network, classes = _kind_for(data, state, what, like)
    module = build_network(network, data.input_shape, classes or data.classes, seed=0)
    load_into(module, state, what)
    kind = {"network": network, "dataset": dataset, "input_shape": data.input_shape, "classes": classes or data.classes}
    if (before := _kept_before(module, title, kind)) is not None:
        return before
    accuracy, loss = scores(module, data)
    return add_to_library(
        name,
        module,
        origin="uploaded",
        how=f"Brought along as the file {what}; how it was trained is not known.",
        title=title,
        accuracy=accuracy,
        loss=loss,
        **kind,  # type: ignore[arg-type]
    )


def _kept_before(module: "nn.Module", title: str, kind: Mapping[str, object]) -> LibraryModel | None:
    """Return the model that the same file, under the same title, has become already."""
    from softmerge_core.checkpoints.files import state_hash

    sha256 = state_hash(module.state_dict())
    alike = (model for model in library().values() if model.sha256 == sha256 and model.origin == "uploaded")
    kinds = ((model, {field: getattr(model, field) for field in KIND}) for model in alike)
    return next((model for model, found in kinds if found == kind and model.title == title), None)


def _kind_for(data: Data, state: "Mapping[str, Tensor]", what: str, like: str) -> tuple[str, int]:
    """(network, classes) of what a file holds, or else ``like`` and the data's; raises SourceError unless that fits."""
    found = recognise(state, data.input_shape) or recognise(state)
    if found is None and like:
        return like, data.classes
    if found is None:
        raise unrecognised(what)
    network, input_shape, classes = found
    if input_shape != data.input_shape:
        expected = f"expects inputs of shape {input_shape}, got data of shape {data.input_shape}"
        raise SourceError(f"{what}: it is a {network} and {expected}: choose the data it learned from")
    if classes < data.classes:
        raise SourceError(f"{what}: it is a {network} that tells {classes} classes, and the data have {data.classes}")
    return network, classes


def add_poisoned_copy(model: str, attack: AttackSettings, name: str = "") -> LibraryModel:
    """Keep a spoiled copy of a zoo or library model, evaluated; the model itself stays as it is."""
    from softmerge_core.zoo.layers import scores

    origin = find_source(model)
    if origin is None:
        raise SourceError(f"{model}: add the weights file to the library before poisoning it")
    source = load_source(SourceSpec(model=model, attack=attack))
    accuracy, loss = scores(source.module, load_data(DataSpec(dataset=origin.dataset)))
    family = f" of {origin.title}" if isinstance(origin, FamilyInfo) else ""
    return add_to_library(
        name or slug(f"{model.replace(LIBRARY, '')}-{attack.kind}"),
        source.module,
        origin="poisoned",
        network=origin.network,
        dataset=origin.dataset,
        input_shape=origin.input_shape,
        classes=origin.classes,
        how=f"A copy of {card_title(model)}{family}; {find_attack(attack.kind).past.format(strength=attack.strength)}.",
        attack=attack,
        settings=source.info.settings if source.info else None,
        accuracy=accuracy,
        loss=loss,
    )
