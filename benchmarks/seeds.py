"""Many seeds of a small network side by side against one after another: ``python -m benchmarks.seeds``.

The columns of counts are the CPU seconds of that many merges one after another, divided by those side by side: the
median over the repetitions, with the lowest and the highest. Both are done in turn in one process on one thread. The
last columns are, of the most seeds, the share of seeds whose gates are the same to 1e-5, and the median over the seeds
of the largest difference between two gates.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence

import torch

from softmerge_core import MergeResult, SoftMergeSettings, soft_merge, soft_merge_each
from softmerge_core.zoo import load_family

FAMILIES = ("mnist1d-cnn-shared-trunk", "spirals-mlp-shared-trunk")
GRANULARITIES = ("layer", "channel", "auto")
SAME = 1e-5
Merge = Callable[[], list[MergeResult]]


def main() -> None:
    """Print one row for each family and granularity."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", default=FAMILIES, help="an MLP and a small CNN, if none is named")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 8, 32], help="how many seeds")
    parser.add_argument("--steps", type=int, default=100, help="steps of each stage")
    parser.add_argument("--repeats", type=int, default=3, help="how often each is timed")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    head = ["family", "gates", *(f"{count} seeds" for count in chosen.seeds), "same to 1e-5", "difference"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for name in chosen.families:
        for granularity in GRANULARITIES:
            cells = row(name, granularity, chosen.seeds, chosen.steps, chosen.repeats)
            print(f"| {' | '.join([name, granularity, *cells])} |", flush=True)


def row(name: str, granularity: str, counts: Sequence[int], steps: int, repeats: int) -> list[str]:
    """Time one family and granularity with every number of seeds, and compare the gates of the most."""
    family = load_family(name)
    sources, data = family.sources[:4], family.data.for_merging()
    cells, gaps = [], []
    for count in counts:
        settings = [SoftMergeSettings(granularity=granularity, seed=seed, steps=steps) for seed in range(count)]
        ratios = []
        for _ in range(repeats):
            alone, alone_took = timed(lambda some=settings: [soft_merge(sources, data, own) for own in some])
            together, took = timed(lambda some=settings: soft_merge_each(sources, data, some))
            ratios.append(alone_took / took)
        gaps = [gap(one, other) for one, other in zip(alone, together, strict=True)]
        cells.append(f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")
    share = sum(each <= SAME for each in gaps) / len(gaps)
    return [*cells, f"{100 * share:.0f} %", f"{statistics.median(gaps):.0e}"]


def timed(merge: Merge) -> tuple[list[MergeResult], float]:
    """Return what was merged, and the CPU seconds it took."""
    begun = time.process_time()
    merged = merge()
    return merged, time.process_time() - begun


def gap(one: MergeResult, other: MergeResult) -> float:
    """The largest difference between the gates of two merges; infinite if they kept gates of different stages."""
    if one.winner != other.winner:
        return float("inf")
    first, second = (torch.tensor(each.gates.value) for each in (one, other))
    return float((first - second).abs().max())


if __name__ == "__main__":
    main()
