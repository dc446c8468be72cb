"""The time of a gate-training step, over that of an ordinary step of SGD with momentum on one source.

Random weights, random inputs, one thread. "FusionBench, layer" is a step of its layer-wise merged model (AdaMerging)
on the same loss: its gates are one coefficient a tensor. Noise is drawn at each step, which a merge does in blocks, a
little faster. On a GPU the absolute times are shown, in milliseconds.
"""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn import functional

from benchmarks.base import Benchmark
from benchmarks.networks import SHAPE, cifar_resnet18
from benchmarks.tables import Table, milliseconds, ratio
from benchmarks.timing import Step, in_turn
from softmerge_core.anatomy import describe, partition
from softmerge_core.flat import FlatSources
from softmerge_core.merging.gate_training import GateTraining
from softmerge_core.networks import build_network
from softmerge_core.settings import SoftMergeSettings

Build = Callable[[int], nn.Module]  # seed -> network
CASES: tuple[tuple[str, Build, tuple[int, ...], int, int], ...] = (  # title, network, input shape, batch, timed turns
    ("1-D CNN", lambda seed: build_network("cnn1d", (1, 40), 10, seed), (1, 40), 100, 150),
    ("small ResNet", lambda seed: build_network("resnet", (1, 8, 8), 10, seed), (1, 8, 8), 64, 60),
    ("ResNet-18, CIFAR stem", cifar_resnet18, SHAPE, 64, 8),
)
ON_GPU = 200  # timed turns of every network there
GRANULARITIES = ("model", "layer", "channel")
PEER = "FusionBench, layer"
SGD = "SGD"


def tables(device: str, turns: int = 0) -> Iterator[Table | str]:
    """Yield the table; ``turns``: timed turns, if not as many as each network usually has."""
    yield Table(("network", "batch", "K", SGD + ", ms", *GRANULARITIES, PEER), _rows(device, turns))


def _rows(device: str, turns: int) -> Iterator[list[str]]:
    for title, build, shape, batch, usual in CASES:
        for count in (4, 16):
            torch.manual_seed(0)
            inputs = torch.randn(batch, *shape).to(device)
            labels = torch.randint(10, (batch,)).to(device)
            often = turns or (usual if device == "cpu" else ON_GPU)
            times = in_turn(_steps(build, count, inputs, labels), often, device, warm=max(2, often // 10))
            yield [title, str(batch), str(count), milliseconds(times[SGD]), *_cells(times, device)]


def _cells(times: dict[str, list[float]], device: str) -> Iterator[str]:
    for name in (*GRANULARITIES, PEER):
        over = ratio(times[name], times[SGD]) if name in times else "-"
        yield f"{milliseconds(times[name])} ms, {over}" if device != "cpu" and name in times else over


def _steps(build: Build, count: int, inputs: torch.Tensor, labels: torch.Tensor) -> dict[str, Step]:
    """Return all steps to time in turn, by their names."""
    sources = [build(seed).to(inputs.device) for seed in range(count)]
    steps = {SGD: sgd_step(copy.deepcopy(sources[0]).train(), inputs, labels)}
    steps |= {granularity: gate_step(sources, granularity, inputs, labels) for granularity in GRANULARITIES}
    peer = peer_step(sources, inputs, labels)
    return steps | ({PEER: peer} if peer else {})


def sgd_step(network: nn.Module, inputs: torch.Tensor, labels: torch.Tensor) -> Step:
    """Return a function that does one step of SGD with momentum on one network."""
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)

    def step() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(network(inputs), labels).backward()
        optimiser.step()

    return step


def gate_step(sources: list[nn.Module], granularity: str, inputs: torch.Tensor, labels: torch.Tensor) -> Step:
    """Return a function that does one step of gate training over the sources, on the device of the inputs."""
    layers = describe(sources[0])
    parts = partition(layers, granularity)
    settings = SoftMergeSettings()
    flat = FlatSources(sources, layers, str(inputs.device))
    training = GateTraining(flat, parts, settings, torch.Generator().manual_seed(0))
    return lambda: training.step(inputs, labels)


def peer_step(sources: list[nn.Module], inputs: torch.Tensor, labels: torch.Tensor) -> Step | None:
    """Return a step of FusionBench's layer-wise merged model with Adam; None if it is not installed."""
    try:
        from fusion_bench.models.wrappers.layer_wise_fusion import (  # type: ignore[import-not-found]
            LayerWiseMergedModel,
            get_layer_wise_weights,
        )
    except ImportError:
        return None
    base, own = copy.deepcopy(sources[0]).train(), [copy.deepcopy(source) for source in sources]
    weights = get_layer_wise_weights(len(own), len(list(base.parameters()))).to(inputs.device)
    merged = LayerWiseMergedModel(weights, base, own)
    optimiser = torch.optim.Adam([merged.merge_weight], lr=1e-3)

    def step() -> None:
        optimiser.zero_grad()
        merged.merge_weights()
        functional.cross_entropy(merged(inputs), labels).backward()
        optimiser.step()

    return step


BENCHMARK = Benchmark(
    name="gate_step",
    title="The time of a gate step",
    minutes=6,
    tables=tables,
    devices=("cpu", "cuda"),
    peers=("fusion-bench",),
)

if __name__ == "__main__":
    BENCHMARK.main()
