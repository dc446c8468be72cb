"""Data sets: one file each, with a constant ``DATASET``, or a reader's own ``.npz``. Torch is loaded on use."""

from functools import cache

from softmerge_core.data.base import Data, Dataset, check_data, select
from softmerge_core.data.files import check_data_file, load_data_file
from softmerge_core.data.kept import (
    data_facts,
    data_files,
    data_labels,
    data_preview,
    keep_data_file,
    remove_data_file,
)
from softmerge_core.errors import DataError
from softmerge_core.registry import discover, lookup
from softmerge_core.settings import DataSpec

__all__ = [
    "Data",
    "Dataset",
    "check_data",
    "check_data_file",
    "check_data_spec",
    "data_facts",
    "data_files",
    "data_labels",
    "data_preview",
    "datasets",
    "keep_data_file",
    "load_data",
    "load_data_file",
    "load_dataset",
    "remove_data_file",
    "select",
]


@cache
def datasets() -> dict[str, Dataset]:
    """Return every built-in data set by its name; none of them is loaded."""
    return discover("softmerge_core.data", "DATASET")


def load_dataset(name: str) -> Data:
    """Return the built-in data set of this name, the same tensors at every call; raises NotFoundError."""
    dataset: Dataset = lookup(datasets(), name, "data set")
    return _loaded(dataset.name)


@cache
def _loaded(name: str) -> Data:
    dataset = datasets()[name]
    return dataset.to_data(dataset.load())


def load_data(spec: DataSpec) -> Data:
    """Return the samples a spec asks for, built in or from an ``.npz``; raises NotFoundError or DataError."""
    own_file = spec.dataset.endswith(".npz")
    return select(load_data_file(spec.dataset) if own_file else load_dataset(spec.dataset), spec)


def check_data_spec(spec: DataSpec) -> None:
    """Raise NotFoundError or DataError when the spec's data cannot be used. Loads no torch.

    A data file is not read here: a process of its own checks it, once.
    """
    for split, limit in (("training", spec.train_samples), ("validation", spec.validation_samples)):
        if limit == 0:
            raise DataError(f"no {split} data: expected at least one {split} sample of {spec.dataset!r}, got 0")
    if spec.dataset.endswith(".npz"):
        data_facts(spec.dataset)
    else:
        lookup(datasets(), spec.dataset, "data set")
