"""Merges of two networks trained from different random weights: the effect of alignment, REPAIR and soft merging.

    python -m benchmarks.independent_seeds [--pairs N]

The columns: "naive" is the mean of the weights; "+R" adds REPAIR, or fresh BatchNorm statistics; "+ch" and "+auto" are
soft merging by channel, and from coarse to fine. In columns that begin with "weights" or "activations", the networks
are first aligned by these. Two tables of test accuracy in percent are printed, each a mean over N pairs of seeds:
every way to merge two networks of one shape, and optimal-transport fusion of a network of width 96 into one of
width 64.
"""

import copy
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import torch
from torch import nn

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from softmerge_core import SoftMergeSettings, soft_merge
from softmerge_core.alignment import align, fuse, repair
from softmerge_core.data import Data, load_dataset
from softmerge_core.evaluation import evaluate
from softmerge_core.networks.mlp import MLP
from softmerge_core.networks.resnet import ResNet
from softmerge_core.networks.vgg import VGG
from softmerge_core.settings import TrainSettings
from softmerge_core.training import train


@dataclass(frozen=True)
class Case:
    """A network, the data it learns, and the settings of its training."""

    title: str
    build: Callable[[], nn.Module]
    dataset: str
    settings: TrainSettings


ADAM = TrainSettings(epochs=30, learning_rate=0.001, batch_size=64)
SGD = TrainSettings(epochs=60, learning_rate=0.05, optimiser="sgd", weight_decay=0.001, batch_size=64)
CASES = (
    Case("MLP 512, MNIST-1D, Adam", lambda: MLP(40, 10, 512), "mnist1d", ADAM),
    Case("MLP 128, digits, SGD", lambda: MLP(64, 10, 128), "digits", SGD),
    Case("MLP 512, digits, SGD", lambda: MLP(64, 10, 512), "digits", SGD),
    Case("VGG-like 16, digits", lambda: VGG(1, 10, 16), "digits", TrainSettings(epochs=15, learning_rate=0.002)),
    Case("VGG-like 32, digits", lambda: VGG(1, 10, 32), "digits", TrainSettings(epochs=15, learning_rate=0.002)),
    Case("ResNet-like 12, digits", lambda: ResNet(1, 10, 12), "digits", TrainSettings(epochs=10, learning_rate=0.003)),
    Case("ResNet-like 32, digits", lambda: ResNet(1, 10, 32), "digits", TrainSettings(epochs=10, learning_rate=0.003)),
)
WIDTHS = (64, 96)
FINE_TUNE = TrainSettings(epochs=3, learning_rate=0.0005, batch_size=64)


def trained(build: Callable[[], nn.Module], data: Data, settings: TrainSettings, seed: int) -> nn.Module:
    """Return a network trained from random weights drawn from ``seed``."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        network = build()
    chosen = settings.model_copy(update={"seed": seed})
    train(network, data.train_inputs, data.train_labels, chosen, classes=data.classes)
    return network


def percent(network: nn.Module, data: Data) -> float:
    """Return the test accuracy in percent."""
    return 100 * evaluate(network, data.test_inputs, data.test_labels)[0]


@torch.no_grad()
def plain_average(networks: Sequence[nn.Module]) -> nn.Module:
    """Return the mean of all tensors; BatchNorm statistics are averaged too, not estimated again."""
    result = copy.deepcopy(networks[0])
    states = [network.state_dict() for network in networks]
    mean = {
        key: torch.stack([state[key] for state in states]).mean(0) if value.is_floating_point() else value
        for key, value in states[0].items()
    }
    result.load_state_dict(mean)
    return result.eval()


def soft(networks: Sequence[nn.Module], data: Data, granularity: str) -> nn.Module:
    """Merge softly on the training data, judged by the validation data."""
    return soft_merge(networks, data.for_merging(), SoftMergeSettings(granularity=granularity)).model  # type: ignore[arg-type]


def compare(case: Case, seeds: tuple[int, int]) -> dict[str, float]:
    """Return the test accuracy of one pair of endpoints and of every merge of them."""
    data = load_dataset(case.dataset)
    ends = [trained(case.build, data, case.settings, seed) for seed in seeds]
    result = {"end 1": percent(ends[0], data), "end 2": percent(ends[1], data)}
    pairs = {"naive": ends}
    for how in ("weights", "activations"):
        pairs[how] = align(ends, data.train_inputs, how)  # type: ignore[arg-type]
    for name, pair in pairs.items():
        middle = plain_average(pair)
        result[name] = percent(middle, data)
        result[f"{name} +R"] = percent(repair(middle, pair, data.train_inputs), data)
        if name != "naive":
            result[f"{name} +ch"] = percent(soft(pair, data, "channel"), data)
        result[f"{name} +auto"] = percent(soft(pair, data, "auto"), data)
    return result


def transported(seed: int, dataset: str, settings: TrainSettings) -> dict[str, float]:
    """Return the test accuracies of a narrow and a wide MLP, and of the wide one fused into the narrow one.

    The fused and the narrow one are also measured after a short fine-tuning.
    """
    data = load_dataset(dataset)
    features = data.train_inputs[0].numel()
    ends = [trained(lambda w=w: MLP(features, 10, w), data, settings, seed + w) for w in WIDTHS]  # type: ignore[misc]
    result = {f"width {w}": percent(end, data) for w, end in zip(WIDTHS, ends, strict=True)}
    for mode in ("weights", "activations"):
        fused = fuse(ends, data.train_inputs, mode)  # type: ignore[arg-type]
        result[mode[:3]] = percent(fused, data)
        result[f"{mode[:3]} +tuned"] = percent(tuned(fused, data), data)
    result["width 64 +tuned"] = percent(tuned(ends[0], data), data)
    return result


def tuned(network: nn.Module, data: Data) -> nn.Module:
    """Return a copy after a short training."""
    result = copy.deepcopy(network)
    train(result, data.train_inputs, data.train_labels, FINE_TUNE, classes=data.classes)
    return result


def tables(device: str, *, pairs: int = 1) -> Iterator[Table | str]:
    """Yield both tables, with means over so many ``pairs`` of seeds."""
    seeds = [(2 * number + 1, 2 * number + 2) for number in range(pairs)]
    yield from _means("test accuracy, %", ((case.title, [compare(case, pair) for pair in seeds]) for case in CASES))
    found = {"mnist1d": ADAM, "digits": SGD}.items()
    yield from _means(
        "width 96 into 64, %", ((name, [transported(seed, name, how) for seed, _ in seeds]) for name, how in found)
    )


def _means(title: str, cases: Iterable[tuple[str, Sequence[dict[str, float]]]]) -> Iterator[Table]:
    """Yield a table with one row for each case, with means over its results; their titles are the first one's."""
    cases = iter(cases)
    first = next(cases)
    columns = list(first[1][0])
    means = (
        [name, *(f"{statistics.mean(result[column] for result in results):.1f}" for column in columns)]
        for name, results in chain([first], cases)
    )
    yield Table((title, *columns), means)


BENCHMARK = Benchmark(
    name="independent_seeds", title="Merges of networks from different random weights", minutes=20, tables=tables
)

if __name__ == "__main__":
    BENCHMARK.main()
