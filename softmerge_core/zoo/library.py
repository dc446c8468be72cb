"""The reader's own models: trained here, brought along as files, or poisoned copies; kept in ``home()/models``."""

import re
import shutil
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError

from softmerge_core.errors import CheckpointError, NotFoundError, SettingsError, short
from softmerge_core.home import home, set_aside, write_atomic
from softmerge_core.settings import AttackSettings, TrainSettings
from softmerge_core.zoo.manifest import FamilyInfo, LayerInfo, ModelInfo

if TYPE_CHECKING:
    from torch import Tensor, nn

WEIGHTS, INFO = "weights.safetensors", "info.json"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
Origin = Literal["trained", "uploaded", "poisoned", "merged"]


class LibraryModel(ModelInfo):
    """A model of the reader's own, with what it takes to build it again."""

    origin: Origin
    dataset: str
    network: str
    input_shape: tuple[int, ...]
    classes: int
    layers: tuple[LayerInfo, ...] = ()


KIND = ("network", "input_shape", "classes", "dataset")  # the fields in which models that can be merged agree
ARCHITECTURE = "network"  # the one in which some ways of merging let them differ


def same_kind(first: FamilyInfo | LibraryModel, second: FamilyInfo | LibraryModel) -> bool:
    """Whether models of the two have one architecture and learn the same data."""
    return all(getattr(first, field) == getattr(second, field) for field in KIND)


def same_data(first: FamilyInfo | LibraryModel, second: FamilyInfo | LibraryModel) -> bool:
    """Whether models of the two learn the same data, whatever their architectures."""
    return all(getattr(first, field) == getattr(second, field) for field in KIND if field != ARCHITECTURE)


def library_folder() -> Path:
    """Where the reader's models lie; it may not exist yet."""
    return home() / "models"


def check_name(name: str) -> str:
    """``name``; raises SettingsError unless it is 1-64 letters, digits, - and _, starting with one of the first two."""
    if not NAME.fullmatch(name):
        raise SettingsError(f"model name: expected 1-64 letters, digits, - or _, got {name[:80]!r}")
    return name


def slug(text: str, fallback: str = "model") -> str:
    """A name made of any text: its letters and digits, joined by dashes."""
    cleaned = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-").lower()[:48].strip("-")
    return cleaned or fallback


def library() -> dict[str, LibraryModel]:
    """The reader's models by name. A folder that cannot be read is left out, and left alone."""
    found = {}
    for path in sorted(library_folder().glob(f"*/{INFO}")):
        try:
            known = path.stat()
            model = _read(path, known.st_mtime_ns, known.st_size)
        except (ValidationError, OSError):
            continue
        if model.name == path.parent.name and NAME.fullmatch(model.name):
            found[model.name] = model
    return found


@lru_cache(maxsize=1000)  # pages ask several times at every step of a reader
def _read(path: Path, changed: int, size: int) -> LibraryModel:
    return LibraryModel.model_validate_json(path.read_bytes())


def library_model(name: str) -> LibraryModel:
    """The reader's model of this name; raises SettingsError for no name at all, NotFoundError when absent."""
    check_name(name)
    found = library()
    if name not in found:
        raise NotFoundError(f"no model {name!r} in the library; there are: {short(', '.join(found), 300) or 'none'}")
    return found[name]


def add_to_library(
    name: str,
    weights: "nn.Module | Mapping[str, Tensor]",
    *,
    origin: Origin,
    network: str,
    dataset: str,
    input_shape: tuple[int, ...],
    classes: int,
    how: str,
    title: str = "",
    settings: TrainSettings | None = None,
    attack: AttackSettings | None = None,
    accuracy: Mapping[str, float] | None = None,
    loss: Mapping[str, float] | None = None,
    history: tuple[tuple[int, float, float], ...] = (),
) -> LibraryModel:
    """Keep a model; a name that is taken gets a number. ``weights`` must fit the ``network``.

    Raises SettingsError for a name that could leave the folder, CheckpointError for weights that do not fit.
    """
    from softmerge_core.checkpoints.files import load_into, state_hash
    from softmerge_core.networks import build_network
    from softmerge_core.zoo.layers import layer_infos
    from softmerge_core.zoo.work import keep_work

    check_name(name)
    module = build_network(network, input_shape, classes, seed=0)
    load_into(module, _state(weights), f"model {name!r}")
    model = LibraryModel(
        name=name,
        title=title or name,
        origin=origin,
        how=how,
        network=network,
        dataset=dataset,
        input_shape=input_shape,
        classes=classes,
        settings=settings,
        attack=attack,
        accuracy=dict(accuracy or {}),
        loss=dict(loss or {}),
        history=history,
        sha256=state_hash(module.state_dict()),
        layers=layer_infos(module),
    )
    keep_work((network, input_shape, classes))
    return _keep(model, module, titled=bool(title))


def _state(weights: "nn.Module | Mapping[str, Tensor]") -> "Mapping[str, Tensor]":
    from torch import nn

    return weights.state_dict() if isinstance(weights, nn.Module) else weights


def _keep(model: LibraryModel, module: "nn.Module", *, titled: bool) -> LibraryModel:
    """Write a model to a folder of its own, all of it or nothing; returns it under the name that was free."""
    from softmerge_core.checkpoints.files import save_checkpoint

    try:
        folder = _new_folder(model.name)
    except OSError as error:
        raise CheckpointError(f"model {model.name!r} could not be kept: {error.strerror or error}") from error
    title = model.title if titled else folder.name
    model = model.model_copy(update={"name": folder.name, "title": title})
    try:
        save_checkpoint(module, folder / WEIGHTS)
        write_atomic(folder / INFO, model.model_dump_json(indent=1).encode())
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if not isinstance(error, (CheckpointError, OSError)):
            raise
        reason = error.strerror or type(error).__name__ if isinstance(error, OSError) else error
        raise CheckpointError(f"model {folder.name!r} could not be kept: {reason}") from error
    return model


def _new_folder(name: str) -> Path:
    """Make and claim a folder for ``name``, or for name-2, name-3, ... where it is taken."""
    library_folder().mkdir(parents=True, exist_ok=True)
    number = 1
    while True:
        suffix = "" if number == 1 else f"-{number}"
        folder = library_folder() / f"{name[: 64 - len(suffix)]}{suffix}"
        try:
            folder.mkdir()
            return folder
        except FileExistsError:
            number += 1


def remove_from_library(name: str) -> str:
    """Delete one of the reader's models; returns the ticket with which ``home.bring_back`` undoes it for a day.

    Raises SettingsError, NotFoundError, or CheckpointError where it cannot be deleted.
    """
    folder = library_folder() / library_model(name).name
    try:
        return set_aside([folder])
    except OSError as error:
        raise CheckpointError(f"model {name!r} could not be deleted: {error.strerror or error}") from error
