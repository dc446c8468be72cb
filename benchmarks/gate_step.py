"""The time of a gate-training step relative to an ordinary SGD step of one source: ``python -m benchmarks.gate_step``.

Both are timed in turn in one process, and the ratio of the medians is printed; absolute times depend on the machine.
"""

import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from softmerge_core.anatomy import describe, partition
from softmerge_core.flat import FlatSources
from softmerge_core.merging.gate_training import GateTraining
from softmerge_core.networks import build_network
from softmerge_core.settings import SoftMergeSettings

CASES = (  # network, input shape, classes, batch, timed steps
    ("cnn1d", (1, 40), 10, 100, 150),
    ("resnet", (1, 8, 8), 10, 64, 60),
    ("torchvision/resnet18", (3, 32, 32), 10, 64, 4),
)
Step = Callable[[], object]


def main() -> None:
    """Print one row for each network and granularity, with a column for each number of sources."""
    torch.set_num_threads(1)
    print("| network | batch | gates | K=4 | K=16 |\n|---|---|---|---|---|")
    for name, shape, classes, batch, steps in CASES:
        for granularity in ("model", "layer", "channel"):
            ratios = [ratio(name, shape, classes, batch, steps, granularity, count) for count in (4, 16)]
            print(f"| {name} | {batch} | {granularity} | {ratios[0]:.2f} | {ratios[1]:.2f} |", flush=True)


def ratio(
    name: str, shape: tuple[int, ...], classes: int, batch: int, steps: int, granularity: str, count: int
) -> float:
    """Return the median time of a gate step divided by that of an SGD step, timed in turn."""
    inputs, labels = torch.randn(batch, *shape), torch.randint(classes, (batch,))
    ordinary = sgd_step(build_network(name, shape, classes, 0), inputs, labels)
    gates = gate_step([build_network(name, shape, classes, seed) for seed in range(count)], granularity, inputs, labels)
    times: dict[Step, list[float]] = {ordinary: [], gates: []}
    for turn in range(steps + 2):
        for step, seconds in times.items():
            begun = time.perf_counter()
            step()
            if turn >= 2:
                seconds.append(time.perf_counter() - begun)
    return statistics.median(times[gates]) / statistics.median(times[ordinary])


def sgd_step(network: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> Step:
    """Return a function that does one step of SGD with momentum on one network."""
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def step() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(network(inputs), labels).backward()
        optimiser.step()

    return step


def gate_step(sources: list[nn.Module], granularity: str, inputs: torch.Tensor, labels: torch.Tensor) -> Step:
    """Return a function that does one step of gate training over the sources."""
    layers = describe(sources[0])
    parts = partition(layers, granularity)
    settings = SoftMergeSettings()
    training = GateTraining(FlatSources(sources, layers), parts, settings, torch.Generator().manual_seed(0))
    return lambda: training.step(inputs, labels)


if __name__ == "__main__":
    main()
