"""A whole soft merge on a device and on the processor: seconds, and whether the gates are the same.

Networks with random weights, 256 random samples for training and 128 for validation, batches of 64, one thread of the
processor. Noise is drawn on the processor wherever the rest is computed, so the gates differ only by what the device
rounds otherwise, which each step can amplify. Measured on the processor, the second merge is a repetition of the first.
"""

import time
from collections.abc import Callable, Iterator

import torch
from torch import nn

from benchmarks.base import Benchmark
from benchmarks.networks import SHAPE, cifar_resnet18
from benchmarks.tables import Table
from softmerge_core import MergeData, MergeResult, SoftMergeSettings, soft_merge
from softmerge_core.networks import build_network

CASES: tuple[tuple[str, Callable[[int], nn.Module], tuple[int, ...], int], ...] = (  # title, network, shape, steps
    ("1-D CNN", lambda seed: build_network("cnn1d", (1, 40), 10, seed), (1, 40), 100),
    ("small ResNet", lambda seed: build_network("resnet", (1, 8, 8), 10, seed), (1, 8, 8), 100),
    ("ResNet-18, CIFAR stem", cifar_resnet18, SHAPE, 10),
)
TRAINING, VALIDATION, SOURCES = 256, 128, 4


def tables(device: str, *, only: str = "") -> Iterator[Table | str]:
    """Yield the table, of the networks that have ``only`` in their title."""
    columns = ("network", "K", "gates", "steps", f"s on {device}", "s on one thread", "largest difference of a gate")
    yield Table(columns, (row for case in CASES if only in case[0] for row in _rows(device, *case)))


def _rows(
    device: str, title: str, build: Callable[[int], nn.Module], shape: tuple[int, ...], steps: int
) -> Iterator[list[str]]:
    data, sources = random_data(shape), [build(seed).eval() for seed in range(SOURCES)]
    timed(sources, data, device, "layer", 2)  # makes the device ready
    for granularity in ("layer", "channel"):
        (there, seconds), (here, longer) = (timed(sources, data, on, granularity, steps) for on in (device, "cpu"))
        cells = (f"{seconds:.3g}", f"{longer:.3g}", f"{difference(there, here):.1g}")
        yield [title, str(SOURCES), granularity, str(steps), *cells]


def random_data(shape: tuple[int, ...]) -> MergeData:
    """Return random inputs of ``shape`` and labels of ten classes."""
    generator, number = torch.Generator().manual_seed(0), TRAINING + VALIDATION
    inputs = torch.randn(number, *shape, generator=generator)
    labels = torch.randint(10, (number,), generator=generator)
    return MergeData(inputs[:TRAINING], labels[:TRAINING], inputs[TRAINING:], labels[TRAINING:])


def timed(
    sources: list[nn.Module], data: MergeData, device: str, granularity: str, steps: int
) -> tuple[MergeResult, float]:
    """Return a merge, and the seconds it took."""
    settings = SoftMergeSettings(granularity=granularity, steps=steps, batch_size=64, device=device)  # type: ignore[arg-type]
    begun = time.perf_counter()
    return soft_merge(sources, data, settings), time.perf_counter() - begun


def difference(one: MergeResult, other: MergeResult) -> float:
    """Return the largest absolute difference of a gate's value (0-1) without noise."""
    first, second = (torch.tensor(result.gates.value) for result in (one, other))
    return float((first - second).abs().max())


BENCHMARK = Benchmark(
    name="devices", title="Whole merges on a device", minutes=4, tables=tables, devices=("cpu", "cuda")
)

if __name__ == "__main__":
    BENCHMARK.main()
