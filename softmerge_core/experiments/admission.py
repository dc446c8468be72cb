"""Checks of sources and data against their manifests, before any work. Loads no torch."""

from collections.abc import Sequence
from pathlib import Path

from softmerge_core.data import check_data_spec, data_facts, datasets
from softmerge_core.errors import DataError, NotFoundError, SourceError, short
from softmerge_core.settings import DataSpec, SourceSpec
from softmerge_core.zoo import FamilyInfo, LibraryModel, families, find_source
from softmerge_core.zoo.library import KIND

Origin = FamilyInfo | LibraryModel  # states the network and data of a model
EXAMPLE = "mnist1d-cnn-shared-trunk"
SMALL = "moons-mlp-label-noise"


def example_sources() -> tuple[tuple[SourceSpec, ...], DataSpec]:
    """Four small sources that share a trunk (or those of the first family there is), and their data."""
    found = families()
    if not found:
        raise NotFoundError("the zoo is empty; build it with: python -m softmerge_core zoo build")
    name = EXAMPLE if EXAMPLE in found else next(iter(found))
    sources = tuple(SourceSpec(model=f"{name}/{model.name}") for model in found[name].models[:4])
    return sources, DataSpec(dataset=found[name].dataset)


def small_sources(count: int = 2) -> tuple[tuple[SourceSpec, ...], DataSpec]:
    """A few of the smallest sources, and few of their data, for specs that run in about a second."""
    sources = tuple(SourceSpec(model=f"{SMALL}/{model.name}") for model in families()[SMALL].models[:count])
    return sources, DataSpec(dataset=families()[SMALL].dataset, train_samples=100, validation_samples=60)


def check_sources(sources: Sequence[SourceSpec], data: DataSpec) -> None:
    """Raise SoftMergeError unless two or more sources exist, are alike, and can read the data."""
    if len(sources) < 2:
        raise SourceError(f"expected two or more sources, got {len(sources)}")
    origins = [(source.model, find_source(source.model)) for source in sources]
    known = [(model, origin) for model, origin in origins if origin is not None]
    for model, origin in known[1:]:
        _check_alike(known[0][0], known[0][1], model, origin)
    check_data_spec(data)
    if known:
        _check_fit(data, *known[0])


def data_shape(data: DataSpec) -> tuple[tuple[int, ...], int]:
    """(input shape, number of classes) of a spec's data; raises DataError for a file that cannot be used."""
    if data.dataset.endswith(".npz"):
        facts = data_facts(data.dataset)
        return facts.input_shape, facts.classes
    dataset = datasets()[data.dataset]
    return tuple(dataset.input_shape), dataset.classes


def _check_alike(first: str, expected: Origin, other: str, got: Origin) -> None:
    for field in KIND:
        wanted, found = getattr(expected, field), getattr(got, field)
        if wanted != found:
            what = field.replace("_", " ").replace("dataset", "data set")
            raise SourceError(
                f"sources {first!r} and {other!r} cannot be merged: the {what} of the first is {wanted}, "
                f"of the second {found}"
            )


def _check_fit(data: DataSpec, model: str, origin: Origin) -> None:
    """Raise DataError unless the data have the source's input shape, and no more classes than it was trained on."""
    shape, classes = data_shape(data)
    name = short(Path(data.dataset).name)
    if shape != origin.input_shape:
        raise DataError(f"data {name!r}: source {model!r} expects {origin.input_shape}, got {shape}")
    if classes > origin.classes:
        raise DataError(f"data {name!r}: source {model!r} tells {origin.classes} classes, got {classes}")
