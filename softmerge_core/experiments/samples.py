"""How many samples there are, for runs that did not write it down and before any work. Loads no torch."""

from functools import cache

from softmerge_core.data import data_facts, datasets
from softmerge_core.settings import DataSpec


@cache
def samples_of(dataset: str) -> int:
    """The number of test samples of a built-in data set; 0 for any other, whose file may be gone or have changed."""
    found = datasets().get(dataset)
    return len(found.load()["test_labels"]) if found else 0


def labelled_samples(data: DataSpec) -> int:
    """The number of training and validation samples that a spec names; raises DataError for a file it cannot use."""
    own = data.dataset.endswith(".npz")
    sizes = data_facts(data.dataset).samples if own else _sizes(data.dataset)
    limits = {"train": data.train_samples, "validation": data.validation_samples}
    return sum(sizes[split] if limit is None else min(limit, sizes[split]) for split, limit in limits.items())


@cache
def _sizes(dataset: str) -> dict[str, int]:
    """The number of training and of validation samples of a built-in data set."""
    arrays = datasets()[dataset].load()
    return {split: len(arrays[f"{split}_labels"]) for split in ("train", "validation")}
