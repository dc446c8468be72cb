"""The models of a bundle go into the library by the door that all weights files take. Loads no torch."""

from collections.abc import Mapping
from pathlib import Path

from softmerge_core.errors import CheckpointError, SoftMergeError, short
from softmerge_core.export.bundle.manifest import MODEL_INFO, MODEL_WEIGHTS, MODELS, Manifest
from softmerge_core.zoo import Asked, FileAsked, LibraryModel, library, slug, take_in
from softmerge_core.zoo.library import same_kind
from softmerge_core.zoo.sources import LIBRARY
from softmerge_core.zoo.verdicts import refused


def keep_models(folder: Path, manifest: Manifest, swaps: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Keep the models of a bundle that lies in ``folder``; (what their names become, what could not be kept).

    ``swaps``: what the names of data in the bundle have become. A model that the library has already stays one.
    """
    kept, problems = dict[str, str](), list[str]()
    names = sorted({name.split("/")[1] for name in manifest.files if name.startswith(MODELS)})
    for name in names:
        place = folder / MODELS / name
        try:
            kept[f"{LIBRARY}{name}"] = f"{LIBRARY}{_keep(place, name, swaps)}"
        except SoftMergeError as error:
            problems.append(f"model {name!r} could not be kept: {error}")
        except (OSError, ValueError):
            problems.append(f"model {name!r} could not be kept: its {MODEL_INFO} or {MODEL_WEIGHTS} is damaged")
    return {before: after for before, after in kept.items() if before != after}, problems


def _keep(place: Path, name: str, swaps: Mapping[str, str]) -> str:
    """The name under which a model of a bundle lies in the library; raises SoftMergeError, OSError or ValueError."""
    told = LibraryModel.model_validate_json((place / MODEL_INFO).read_bytes())
    told = told.model_copy(update={"dataset": swaps.get(told.dataset, told.dataset)})
    weights = place / MODEL_WEIGHTS
    if not weights.is_file():
        raise FileNotFoundError(weights.name)
    same = [model for model in library().values() if model.sha256 == told.sha256 and same_kind(model, told)]
    if same:
        return next((model.name for model in same if model.name == name), same[0].name)
    file = FileAsked(path=weights.absolute(), title=short(told.title, 120), name=slug(name))
    asked = Asked(files=(file,), dataset=told.dataset, keep=True, network=told.network, classes=told.classes)
    (verdict,) = take_in(asked)
    if not verdict.fits:
        raise CheckpointError(refused(verdict))
    return verdict.model
