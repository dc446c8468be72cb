"""The time of many seeds of one merge, one after another over side by side, on shipped families of small networks.

CPU time on one thread of whole merges, their evaluations and events included, both in turn in one process: the median
over the turns. "Same to 1e-5" is the share of the most seeds whose gates are, "difference" the median over these seeds
of the largest difference between two gates. In single precision, rounding may move a draw over the edge of a gate.
"""

import statistics
import time
from collections.abc import Callable, Iterator

import torch

from benchmarks.base import Benchmark
from benchmarks.tables import Table, ratio
from softmerge_core import MergeResult, SoftMergeSettings, soft_merge, soft_merge_each
from softmerge_core.zoo import load_family

FAMILIES = ("mnist1d-cnn-shared-trunk", "spirals-mlp-shared-trunk")
GRANULARITIES = ("layer", "channel", "auto")
COUNTS = (1, 8, 32)
SAME = 1e-5
Merges = Callable[[], list[MergeResult]]


def tables(device: str, families: tuple[str, ...] = FAMILIES, steps: int = 100, turns: int = 3) -> Iterator[Table]:
    """Yield a row for each family and granularity; ``steps`` are those of each stage."""
    columns = (
        "family",
        "gates",
        *(f"{count} seed{'s'[: count - 1]}" for count in COUNTS),
        "same to 1e-5",
        "difference",
    )
    yield Table(columns, (row(name, how, steps, turns) for name in families for how in GRANULARITIES))


def row(name: str, granularity: str, steps: int, turns: int) -> list[str]:
    """Time one family and granularity with every number of seeds, and compare the gates of the most."""
    family = load_family(name)
    sources, data = family.sources[:4], family.data.for_merging()
    every = [SoftMergeSettings(granularity=granularity, seed=seed, steps=steps) for seed in range(max(COUNTS))]
    cells, gaps = [], [0.0]
    for count in COUNTS:
        some, times = every[:count], []
        for _ in range(turns):
            alone, took = timed(lambda some=some: [soft_merge(sources, data, own) for own in some])
            together, less = timed(lambda some=some: soft_merge_each(sources, data, some))
            times.append((took, less))
        gaps = [gap(one, other) for one, other in zip(alone, together, strict=True)]
        cells.append(ratio(*zip(*times, strict=True)))
    share = sum(each <= SAME for each in gaps) / len(gaps)
    return [name, granularity, *cells, f"{100 * share:.0f} %", f"{statistics.median(gaps):.0e}"]


def timed(merges: Merges) -> tuple[list[MergeResult], float]:
    """Return what was merged, and the CPU seconds it took."""
    begun = time.process_time()
    merged = merges()
    return merged, time.process_time() - begun


def gap(one: MergeResult, other: MergeResult) -> float:
    """The largest difference between the gates of two merges; infinite if they kept gates of different stages."""
    if one.winner != other.winner:
        return float("inf")
    first, second = (torch.tensor(each.gates.value) for each in (one, other))
    return float((first - second).abs().max())


BENCHMARK = Benchmark(name="seeds", title="Many seeds side by side", minutes=25, tables=tables)

if __name__ == "__main__":
    BENCHMARK.main()
