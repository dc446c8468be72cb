"""Seconds and peak memory of every method on ResNet-18, and of other packages' functions that compute the same.

Torchvision's ResNet-18 for ten classes on images of 32 x 32 pixels (44.7 MB in float32, one "model"): sources are one
network with random weights plus noise of .01 a weight, which is the base of methods that need one. 16 random samples
for training and as many for validation; methods that train do 10 steps (soft merging up to 10 a stage, fine-tuning its
2 epochs), all else is as usual. One thread; seconds are the median of up to three merges, the whole call with its
checks and fresh BatchNorm statistics. Memory is the peak over what the process used before there was any source, so
the K sources count, and the base where there is one, in a process of its own that has merged two tiny networks before.

In the second table both merge alone, without checks and BatchNorm statistics, which other packages leave to the
caller. The difference is the largest one of any weight (they are .02 large, BatchNorm's 1); memory counts the sources.
"""

import copy
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import psutil
import torch
from torch import nn

from benchmarks.base import Benchmark
from benchmarks.fresh import Peak, fresh
from benchmarks.networks import SHAPE, network
from benchmarks.peers import PEERS, Scene, Weights
from benchmarks.tables import Table, ratio
from benchmarks.timing import in_turn
from softmerge_core.data.base import MergeData
from softmerge_core.methods import available_methods, find_method, merge
from softmerge_core.networks import build_network

COUNTS = (2, 4, 8, 16)
SAMPLES, STEPS, NOISE = 16, 10, 0.01
LONG = 20.0  # seconds after which a merge is not repeated
TURNS = 5  # in which the functions of both packages are timed
SHARE = 0.7  # of the memory that is free, which a merge may take


def tiny() -> nn.Module:
    """Return a small network of the same kind, to be merged before anything is measured."""
    return build_network("resnet", (1, 8, 8), 10, 0).eval()


def resnet18() -> nn.Module:
    """Return the base."""
    return network("resnet18")


@torch.no_grad()
def noisy(base: nn.Module, seed: int) -> nn.Module:
    """Return a copy with noise on its weights."""
    module, generator = copy.deepcopy(base), torch.Generator().manual_seed(seed)
    for parameter in module.parameters():
        parameter.add_(NOISE * torch.randn(parameter.shape, generator=generator))
    return module


def random_data(shape: tuple[int, ...]) -> MergeData:
    """Return random images and labels."""
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(2 * SAMPLES, *shape, generator=generator)
    labels = torch.randint(10, (2 * SAMPLES,), generator=generator)
    return MergeData(inputs[:SAMPLES], labels[:SAMPLES], inputs[SAMPLES:], labels[SAMPLES:])


def settings_of(name: str) -> dict[str, Any]:
    """Return what is set for this benchmark: the number of steps, where there is such a setting."""
    return {"steps": STEPS} if "steps" in find_method(name).settings.model_fields else {}


def once(name: str, sources: list[nn.Module], data: MergeData, base: nn.Module | None) -> nn.Module:
    """Merge; the base is given to the methods that need one."""
    return merge(name, sources, data, base=base, **settings_of(name))


def model_bytes() -> int:
    """Return the size of one ResNet-18 in bytes."""
    return sum(t.numel() * t.element_size() for t in resnet18().state_dict().values())


def cost(name: str, count: int) -> tuple[float, float]:
    """Return the median seconds of a merge of ``count`` sources, and its peak memory in models."""
    small = tiny()
    once(name, [noisy(small, 1), noisy(small, 2)], random_data((1, 8, 8)), small)
    size, data = model_bytes(), random_data(SHAPE)
    peak = Peak()
    base: nn.Module | None = resnet18()
    sources = [noisy(base, number) for number in range(count)]
    base = base if "base" in find_method(name).needs else None
    seconds: list[float] = []
    memory: list[int] = []
    while len(seconds) < 3 and sum(seconds) < LONG:
        begun = time.perf_counter()
        once(name, sources, data, base)
        seconds.append(time.perf_counter() - begun)
        memory.append(peak.bytes())
    return statistics.median(seconds), memory[0] / size


def rows(names: Sequence[str], counts: Sequence[int]) -> Iterator[list[str]]:
    """Yield seconds and memory of each method for each number of sources."""
    size = model_bytes()
    for name in names:
        found: dict[int, tuple[str, str]] = {}
        models = 0.0
        for before, count in zip((counts[0], *counts), counts, strict=False):
            if models * count / before * size > SHARE * psutil.virtual_memory().available:
                found[count] = ("no room", f"over {models:.0f}")
                continue
            try:
                seconds, models = fresh(cost, name, count)
                found[count] = (f"{seconds:.3g}", f"{models:.1f}")
            except BrokenProcessPool:
                found[count] = ("no room", "-")
        cells = [found[count][place] for place in (0, 1) for count in counts]
        yield [find_method(name).title, *cells]


def scene(count: int, base: nn.Module) -> Scene:
    """Return sources around ``base``, with random Gram matrices, and Fisher diagonals that are positive numbers."""
    sources = [noisy(base, number) for number in range(count)]
    features = list(base.parameters())[-2].shape[1]
    inputs = torch.randn(count, SAMPLES, features, generator=torch.Generator().manual_seed(0)).double()
    return Scene(sources, base, [own.T @ own for own in inputs])


def merged(number: int, count: int, who: str) -> tuple[Scene, Weights, float]:
    """Merge by one peer, "ours" or "theirs"; return what was merged, the result, and the peak memory in models."""
    function = getattr(PEERS[number], who)
    function(scene(2, tiny()))  # imports what it needs
    size, peak = model_bytes(), Peak()
    given = scene(count, resnet18())
    return given, function(given), peak.bytes() / size


def ours(number: int, count: int) -> float:
    """Return the peak memory of ours in models."""
    return merged(number, count, "ours")[2]


def theirs(number: int, count: int) -> tuple[float, float, dict[str, list[float]]]:
    """Return the peak memory of theirs in models, the largest difference of a weight, and the times of both."""
    peer = PEERS[number]
    given, found, memory = merged(number, count, "theirs")
    different = largest_difference(peer.ours(given), found)
    both = {"ours": lambda: peer.ours(given), "theirs": lambda: peer.theirs(given)}
    return memory, different, in_turn(both, TURNS, warm=0)


def largest_difference(one: Weights, other: Weights) -> float:
    """Return the largest absolute difference of any weight; raises KeyError if one of ``one`` is not in ``other``."""
    return max(float((weight.double() - other[name].double()).abs().max()) for name, weight in one.items())


def peer_rows(names: Sequence[str]) -> Iterator[list[str]]:
    """Yield a row for each function of an installed package, and number of sources."""
    for number, peer in enumerate(PEERS):
        for count in peer.counts if peer.method in names and installed(peer.package) else ():
            own, (memory, different, times) = fresh(ours, number, count), fresh(theirs, number, count)
            seconds = [f"{statistics.median(times[who]):.3g}" for who in ("ours", "theirs")]
            cells = [*seconds, ratio(times["ours"], times["theirs"]), f"{own:.1f}", f"{memory:.1f}", f"{different:.1g}"]
            yield [find_method(peer.method).title, peer.of, peer.package, str(count), *cells]


def installed(package: str) -> bool:
    """Return whether a package is there."""
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def tables(
    device: str, *, only: tuple[str, ...] = (), counts: tuple[int, ...] = COUNTS, peers: bool = False
) -> Iterator[Table | str]:
    """Yield both tables, of ``only`` some methods; or that of the ``peers`` alone."""
    names = tuple(only) or tuple(available_methods())
    if not peers:
        heads = (f"{what}, K={count}" for what in ("s", "models") for count in counts)
        yield Table(("method", *heads), rows(names, counts))
    packages = {peer.package for peer in PEERS}
    absent = sorted(package for package in packages if not installed(package))
    if absent:
        yield f"Not installed, and so not compared: {', '.join(absent)}."
    both = ("s, ours", "s, theirs", "ours / theirs", "models, ours", "models, theirs", "difference")
    if len(absent) < len(packages):
        yield Table(("method", "of", "package", "K", *both), peer_rows(names))


BENCHMARK = Benchmark(
    name="methods_at_size",
    title="Every method at real size",
    minutes=30,
    tables=tables,
    peers=("fusion-bench", "mergekit"),
)

if __name__ == "__main__":
    BENCHMARK.main()
