"""Checks of sources and data against their manifests, before any work. Loads no torch."""

from collections.abc import Sequence
from pathlib import Path

from softmerge_core.checkpoints.header import floats_in
from softmerge_core.checkpoints.shards import shards
from softmerge_core.data import check_data_spec, data_facts, datasets
from softmerge_core.errors import DataError, NotFoundError, SourceError, short
from softmerge_core.memory import HALF, SINGLE, merge_memory
from softmerge_core.settings import DataSpec, SourceSpec
from softmerge_core.zoo import FamilyInfo, LibraryModel, families, find_source, weights_file
from softmerge_core.zoo.library import KIND

Origin = FamilyInfo | LibraryModel  # states the network and data of a model
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
