"""Checks of sources and data against their manifests, before any work. Loads no torch."""

from collections.abc import Sequence
from pathlib import Path

from softmerge_core.checkpoints.header import floats_in
from softmerge_core.checkpoints.shards import shards
from softmerge_core.data import check_data_spec, data_facts, datasets
from softmerge_core.errors import ArchitectureError, DataError, NotFoundError, SourceError, short
from softmerge_core.memory import HALF, SINGLE, merge_memory
from softmerge_core.settings import DataSpec, SourceSpec
from softmerge_core.zoo import FamilyInfo, LibraryModel, families, find_source, weights_file
from softmerge_core.zoo.library import ARCHITECTURE, KIND

Origin = FamilyInfo | LibraryModel  # states the network and data of a model
NO_AVERAGE = "Weights of different architectures cannot be averaged"
EXAMPLE = "mnist1d-cnn-shared-trunk"
FIRST = "skills-mlp-experts"  # what the Merge page shows at first
SMALL = "moons-mlp-label-noise"


def example_sources(family: str = EXAMPLE) -> tuple[tuple[SourceSpec, ...], DataSpec]:
    """The first four sources of a family (or of the first that there is), and their data."""
    found = families()
    if not found:
        raise NotFoundError("the zoo is empty; build it with: python -m softmerge_core zoo build")
    name = family if family in found else next(iter(found))
    sources = tuple(SourceSpec(model=found[name].source(model)) for model in found[name].models[:4])
    return sources, DataSpec(dataset=found[name].dataset)


def small_sources(count: int = 2) -> tuple[tuple[SourceSpec, ...], DataSpec]:
    """A few of the smallest sources, and few of their data, for specs that run in about a second."""
    sources = tuple(SourceSpec(model=families()[SMALL].source(model)) for model in families()[SMALL].models[:count])
    return sources, DataSpec(dataset=families()[SMALL].dataset, train_samples=100, validation_samples=60)


def check_sources(sources: Sequence[SourceSpec], data: DataSpec, *, mixed: bool = False) -> None:
    """Raise SoftMergeError unless two or more sources exist, are alike, and can read the data.

    ``mixed``: they may be of several architectures, but not of several data sets.
    """
    if len(sources) < 2:
        raise SourceError(f"expected two or more sources, got {len(sources)}")
    origins = [(source.model, find_source(source.model)) for source in sources]
    known = [(model, origin) for model, origin in origins if origin is not None]
    for model, origin in known[1:]:
        _check_alike(known[0][0], known[0][1], model, origin, mixed)
    check_data_spec(data)
    if known:
        _check_fit(data, *known[0])


def memory_needed(sources: Sequence[SourceSpec], *, aligned: bool = False, relative: bool = False) -> int:
    """Bytes that a soft merge of ``sources`` needs (see ``merge_memory``), as far as their files' headers tell.

    Held beside are every spoiled source, all of them if they are ``aligned`` first, and for gates ``relative`` to it
    the base, twice. Raises SoftMergeError for a file that is absent or damaged.
    """
    found = [_floats_of(weights_file(source.model)) for source in sources]
    spoiled = sum(source.attack is not None for source in sources)
    halves = {size for _, size in found} == {HALF} and not spoiled and not aligned
    held = (len(sources) if aligned else spoiled) + 2 * relative
    return merge_memory(max(count for count, _ in found), len(sources), HALF if halves else SINGLE, held)


def _floats_of(path: Path) -> tuple[int, int]:
    """``floats_in`` of all files in which the weights lie."""
    counts, sizes = zip(*map(floats_in, shards(path)), strict=True)
    return sum(counts), max(sizes)


def data_shape(data: DataSpec) -> tuple[tuple[int, ...], int]:
    """(input shape, number of classes) of a spec's data; raises DataError for a file that cannot be used."""
    if data.dataset.endswith(".npz"):
        facts = data_facts(data.dataset)
        return facts.input_shape, facts.classes
    dataset = datasets()[data.dataset]
    return tuple(dataset.input_shape), dataset.classes


def _check_alike(first: str, expected: Origin, other: str, got: Origin, mixed: bool) -> None:
    fields = [field for field in KIND if not (mixed and field == ARCHITECTURE)]
    apart = [field for field in fields if getattr(expected, field) != getattr(got, field)]
    if not apart:
        return
    what, wanted, found = apart[0].replace("_", " "), getattr(expected, apart[0]), getattr(got, apart[0])
    told = (
        f"sources {first!r} and {other!r} cannot be merged: the {what.replace('dataset', 'data set')} of the first is "
        f"{wanted}, of the second {found}"
    )
    if apart == [ARCHITECTURE]:
        raise ArchitectureError(f"{told}. {NO_AVERAGE}; a comparison of methods has ways that work across them")
    raise SourceError(told)


def _check_fit(data: DataSpec, model: str, origin: Origin) -> None:
    """Raise DataError unless the data have the source's input shape, and no more classes than it was trained on."""
    shape, classes = data_shape(data)
    name = short(Path(data.dataset).name)
    if shape != origin.input_shape:
        raise DataError(f"data {name!r}: source {model!r} expects {origin.input_shape}, got {shape}")
    if classes > origin.classes:
        raise DataError(f"data {name!r}: source {model!r} tells {origin.classes} classes, got {classes}")
