"""Soft merging of every shipped family: ``python -m benchmarks.shipped_families [--only FAMILY ...] [--seeds N]``.

Test accuracy in percent. ``best`` is the source with the lowest validation loss, ``top`` the best on the test data
itself, which no method can know. Soft merging: mean and standard deviation over the seeds, which fix the draws of the
gates and the order of samples; the sources are those that ship. The column "auto - best" is the gain of "auto" over
the best source in points.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from torch import nn

from benchmarks.base import Benchmark
from benchmarks.tables import Table, spread
from softmerge_core import SoftMergeSettings, soft_merge
from softmerge_core.data import Data
from softmerge_core.evaluation import best_source, ensemble_log_probabilities, evaluate, score
from softmerge_core.flat import plain_average
from softmerge_core.zoo import families, load_family

GRANULARITIES = ("model", "layer", "channel", "auto")
HEADER = ("family", "K", "best", "top", "average", "ensemble", *GRANULARITIES, "winners", "auto - best", "seconds")


def tables(device: str, *, only: tuple[str, ...] = (), seeds: int = 3) -> Iterator[Table | str]:
    """Yield one row for each family, or for ``only`` some; a shared trunk of eight is also merged by its first four."""
    yield Table(HEADER, _rows(only or tuple(families()), range(seeds)))


def _rows(names: Sequence[str], seeds: Sequence[int]) -> Iterator[list[str]]:
    for name in names:
        family = load_family(name)
        for count in sorted({min(4, len(family.sources)), len(family.sources)}):
            yield row(name, family.sources[:count], family.data, seeds)


def row(name: str, sources: list[nn.Module], data: Data, seeds: Sequence[int]) -> list[str]:
    """Measure one set of sources and return its row."""
    test = data.test_inputs, data.test_labels
    accuracies = [evaluate(source, *test)[0] for source in sources]
    best = accuracies[best_source(sources, *data.split("validation"))]
    plain = [
        best,
        max(accuracies),
        average(sources, data),
        score(ensemble_log_probabilities(sources, test[0]), test[1])[0],
    ]
    begun = time.perf_counter()
    merged = {how: [merge(sources, data, how, seed=seed) for seed in seeds] for how in GRANULARITIES}
    seconds = (time.perf_counter() - begun) / len(seeds)
    soft = {how: [100 * accuracy for accuracy, _ in found] for how, found in merged.items()}
    winners = Counter(winner for _, winner in merged["auto"])
    gains = [accuracy - 100 * best for accuracy in soft["auto"]]
    cells = [*(f"{100 * value:.1f}" for value in plain), *map(spread, soft.values())]
    told = ", ".join(f"{winner} ({times})" for winner, times in winners.items())
    return [name, str(len(sources)), *cells, told, spread(gains), f"{seconds:.0f}"]


def merge(sources: list[nn.Module], data: Data, granularity: str, **other: Any) -> tuple[float, str]:
    """Return the (test accuracy, winner) of a soft merge; ``other`` settings are as usual."""
    settings = SoftMergeSettings(granularity=granularity, non_finite="exclude", **other)
    result = soft_merge(sources, data.for_merging(), settings)
    return evaluate(result.model, data.test_inputs, data.test_labels)[0], result.winner


def average(sources: list[nn.Module], data: Data) -> float:
    """Return the test accuracy of the plain average."""
    return evaluate(plain_average(sources, data.train_inputs), data.test_inputs, data.test_labels)[0]


BENCHMARK = Benchmark(name="shipped_families", title="Soft merging of every shipped family", minutes=15, tables=tables)

if __name__ == "__main__":
    BENCHMARK.main()
