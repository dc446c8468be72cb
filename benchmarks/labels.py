"""How many labels merging needs, by families and numbers of labels; half of each validate. Mean over seeds, in percent.

A seed is another draw of the labels from the training and validation samples, and other seeds of methods. "auto" is
soft merging; it fails a cell if it is more than a point under the better of the plain average and the best source (that
of the lowest validation loss, from the same labels). Fine-tuning is of the plain average, or of the soft merge.
"""

import statistics
from collections.abc import Iterator, Sequence

from benchmarks.base import Benchmark
from benchmarks.tables import Table, spread
from softmerge_core.evaluation import best_source, evaluate
from softmerge_core.experiments.compare.drawing import drawn
from softmerge_core.methods import merge
from softmerge_core.zoo import Family, load_family

FAMILIES = (
    "mnist1d-cnn-shared-trunk",
    "mnist1d-cnn-independent",
    "mnist1d-cnn-label-noise",
    "mnist1d-cnn-specialists",
    "mnist1d-lstm-shared-trunk",
    "digits-vit-shared-trunk",
    "digits-resnet-specialists",
    "spirals-mlp-shared-trunk",
)
NUMBERS = ("20", "50", "200", "1000", "all")
METHODS = {
    "average": "average", "auto": "soft", "fine-tuned": "fine_tuning", "auto, fine-tuned": "soft_fine_tuning",
    "distillation": "distillation", "Fisher": "fisher", "auto, no labels": "soft_unlabelled",
}  # fmt: skip
LOST = 1.0  # points
Accuracies = dict[str, list[float]]  # method -> percent, one a seed


def measure(family: Family, number: str, seeds: Sequence[int]) -> Accuracies:
    """Return the test accuracies of every method, of ``best`` source too."""
    sources, data = family.sources[:4], family.data
    total, test = len(data.train_labels) + len(data.validation_labels), data.split("test")
    found: Accuracies = {name: [] for name in ("best", *METHODS)}
    for seed in seeds:
        seen = drawn(data, total if number == "all" else int(number), seed)
        best = sources[best_source(sources, seen.validation_inputs, seen.validation_labels)]
        found["best"].append(100 * evaluate(best, *test)[0])
        for name, method in METHODS.items():
            found[name].append(100 * evaluate(merge(method, sources, seen, seed=seed), *test)[0])
    return found


def margin(found: Accuracies) -> float:
    """By how many points soft merging is above the better of the plain average and the best source, in the mean."""
    means = {name: statistics.mean(values) for name, values in found.items()}
    return means["auto"] - max(means["average"], means["best"])


def tables(
    device: str, *, families: tuple[str, ...] = FAMILIES, numbers: tuple[str, ...] = NUMBERS, seeds: int = 5
) -> Iterator[Table | str]:
    """Yield a row for each family and number of labels, and what they say together."""
    cells: dict[str, Accuracies] = {}
    yield Table(("family", "labels", "best", *METHODS, "margin"), _rows(families, numbers, range(seeds), cells))
    yield summary(cells)


def _rows(
    families: Sequence[str], numbers: Sequence[str], seeds: Sequence[int], cells: dict[str, Accuracies]
) -> Iterator[list[str]]:
    """Yield the rows, and put what they are of into ``cells``."""
    for name in families:
        family = load_family(name)
        total = len(family.data.train_labels) + len(family.data.validation_labels)
        for number in numbers:
            if number != "all" and int(number) > total:
                continue
            found = cells[f"{name}, {number}"] = measure(family, number, seeds)
            yield [name, number, *(spread(values) for values in found.values()), f"{margin(found):+.1f}"]


def summary(cells: dict[str, Accuracies]) -> str:
    """Say which cells fail, and how often soft merging is at least the fine-tuned average."""
    failed = [f"{name} ({margin(found):+.1f})" for name, found in cells.items() if margin(found) < -LOST]
    means = [{name: statistics.mean(values) for name, values in found.items()} for found in cells.values()]
    least = sum(each["auto"] >= each["fine-tuned"] for each in means)
    return (
        f"More than a point under the better of average and best source: {'; '.join(failed) or 'none'}. "
        f"Soft merging is at least the fine-tuned average in {least} of {len(cells)} cells."
    )


BENCHMARK = Benchmark(name="labels", title="Numbers of labels", minutes=60, tables=tables)

if __name__ == "__main__":
    BENCHMARK.main()
