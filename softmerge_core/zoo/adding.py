"""Models that the reader brings along or spoils, kept in the library."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from softmerge_core.attacks import find_attack
from softmerge_core.data import load_data
from softmerge_core.errors import CheckpointError, SourceError
from softmerge_core.networks import build_network
from softmerge_core.settings import AttackSettings, DataSpec, SourceSpec
from softmerge_core.zoo.library import KIND, LibraryModel, add_to_library, check_name, library, slug
from softmerge_core.zoo.manifest import FamilyInfo
from softmerge_core.zoo.sources import LIBRARY, card_title, find_source, load_source
from softmerge_core.zoo.verdicts import Asked, FileAsked, Verdict, refused

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
    tensors fit. If they fit nothing, the layer is named by which they are not of the network that they come nearest to,
    or of ``like``. The same file under the same ``title`` is kept once. Raises CheckpointError or SourceError when the
    file is unsafe or does not fit; nothing is kept then. What a stranger made is read in a process of its own
    (``intake``).
    """
    from softmerge_core.checkpoints.files import load_checkpoint
    from softmerge_core.zoo.preflight import verdict, wanted

    what = Path(path).name
    file = FileAsked(path=Path(path), title=title or what, name=name)
    want = wanted(Asked(files=(file,), dataset=dataset, network=network, classes=classes, like=like))
    state = load_checkpoint(path)
    found = verdict(state, what, want)
    if not found.fits:
        differs = found.network and not found.known  # in a layer
        raise (CheckpointError if differs else SourceError)(refused(found))
    return keep_state(state, found, name, title, dataset)


def keep_state(state: "Mapping[str, Tensor]", found: Verdict, name: str, title: str, dataset: str) -> LibraryModel:
    """Keep the tensors of a file that fits, as a model that is measured on ``dataset``."""
    from softmerge_core.checkpoints.files import load_into
    from softmerge_core.zoo.layers import bounded_scores

    check_name(name)
    module = build_network(found.network, found.input_shape, found.classes, seed=0)
    load_into(module, state, found.file)
    kind = {"network": found.network, "dataset": dataset, "input_shape": found.input_shape, "classes": found.classes}
    if (before := _kept_before(module, title, kind)) is not None:
        return before
    accuracy, loss, left_out = bounded_scores(module, load_data(DataSpec(dataset=dataset)))
    how = f"Brought along as the file {found.file}; how it was trained is not known. {left_out}".strip()
    return add_to_library(
        name,
        module,
        origin="uploaded",
        how=how,
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
