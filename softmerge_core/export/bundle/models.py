"""The models of a bundle go into the library by the door that all weights files take. Loads no torch."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from softmerge_core.errors import SoftMergeError, short
from softmerge_core.export.bundle.manifest import MODEL_INFO, MODEL_WEIGHTS, MODELS, Manifest
from softmerge_core.zoo import Asked, FileAsked, LibraryModel, library, slug, take_in
from softmerge_core.zoo.library import KIND, same_kind
from softmerge_core.zoo.sources import LIBRARY
from softmerge_core.zoo.verdicts import refused


def keep_models(folder: Path, manifest: Manifest, swaps: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Keep the models of a bundle that lies in ``folder``; (what their names become, what could not be kept).

    ``swaps``: what the names of data in the bundle have become. A model that the library has already stays one.
    """
    told, problems = _told(folder, manifest, swaps)
    kept = {name: there for name, model in told.items() if (there := _there(name, model))}
    for alike in _alike({name: model for name, model in told.items() if name not in kept}):
        found, refusals = _taken_in(folder, alike)
        kept |= found
        problems += refusals
    return {f"{LIBRARY}{name}": f"{LIBRARY}{there}" for name, there in kept.items() if name != there}, problems


def _told(folder: Path, manifest: Manifest, swaps: Mapping[str, str]) -> tuple[dict[str, LibraryModel], list[str]]:
    """What the bundle says of its models, by name, and which of them are damaged."""
    told, problems = dict[str, LibraryModel](), list[str]()
    for name in sorted({file.split("/")[1] for file in manifest.files if file.startswith(MODELS)}):
        info = f"{MODELS}{name}/{MODEL_INFO}"
        if {info, f"{MODELS}{name}/{MODEL_WEIGHTS}"} - manifest.files.keys():
            problems.append(f"model {name!r} could not be kept: its {MODEL_INFO} or {MODEL_WEIGHTS} is missing")
            continue
        try:
            model = LibraryModel.model_validate_json((folder / info).read_bytes())
        except (ValueError, RecursionError):
            problems.append(f"model {name!r} could not be kept: its {MODEL_INFO} is damaged")
            continue
        told[name] = model.model_copy(update={"dataset": swaps.get(model.dataset, model.dataset)})
    return told, problems


def _there(name: str, told: LibraryModel) -> str:
    """The name under which the library has this model already; "" where it does not."""
    same = [model.name for model in library().values() if model.sha256 == told.sha256 and same_kind(model, told)]
    return name if name in same else next(iter(same), "")


def _alike(told: Mapping[str, LibraryModel]) -> Iterable[dict[str, LibraryModel]]:
    """The models in groups of one kind: one process reads a group."""
    groups: dict[tuple[object, ...], dict[str, LibraryModel]] = {}
    for name, model in told.items():
        groups.setdefault(tuple(getattr(model, field) for field in KIND), {})[name] = model
    return groups.values()


def _taken_in(folder: Path, models: Mapping[str, LibraryModel]) -> tuple[dict[str, str], list[str]]:
    """What models of one kind are called in the library now, and which are refused."""
    first = next(iter(models.values()))
    files = tuple(
        FileAsked(
            path=(folder / MODELS / name / MODEL_WEIGHTS).absolute(), title=short(model.title, 120), name=slug(name)
        )
        for name, model in models.items()
    )
    asked = Asked(files=files, dataset=first.dataset, keep=True, network=first.network, classes=first.classes)
    try:
        verdicts = dict(zip(models, take_in(asked), strict=True))
    except SoftMergeError as error:
        return {}, [f"model {name!r} could not be kept: {error}" for name in models]
    kept = {name: verdict.model for name, verdict in verdicts.items() if verdict.fits}
    return kept, [f"model {name!r} could not be kept: {refused(one)}" for name, one in verdicts.items() if not one.fits]
