"""Two networks trained apart, their middle, and what matching and REPAIR give back (Jordan et al. 2022, 2211.08403).

Each pair from two seeds, by SGD of .05 with momentum .9, as in the paper's tables. MNIST, 50 epochs: one hidden layer
of 128 (``--network mlp1``) 98.1, middle 39.6, matched 96.8, repaired 97.5; three (``mlp3``) 98.2, 15.3, 93.7, 96.4.
CIFAR-10: VGG-11 (``vgg11_bn``) 92.2, 10.0, 61.3, 88.2; a middle mixes BatchNorm's statistics as its weights, and REPAIR
estimates them anew. The control of matching is a middle that is only repaired. Test accuracy in percent, mean and SD
over pairs. ``--rate``: the learning rate; ``--data``: a data set, or a file that `softmerge data import`
made.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, stdev

from torch import nn

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from softmerge_core.alignment import align, repair
from softmerge_core.data import Data, load_data
from softmerge_core.evaluation import evaluate
from softmerge_core.landscape import network_between
from softmerge_core.networks import build_network
from softmerge_core.settings import DataSpec, TrainSettings
from softmerge_core.training import train

PAPER = "vgg11_bn"  # the network that does not ship
RATE = {"optimiser": "sgd", "momentum": 0.9, "schedule": "cosine"}
COLUMNS = ("one end", "the other", "middle", "middle, repaired", "matched", "matched and repaired")


def trained(name: str, data: Data, seed: int, epochs: int, batch: int, rate: float) -> nn.Module:
    """Return a network of its own seed."""
    if name == PAPER:
        importlib.import_module(f"benchmarks.{PAPER}")  # registers it
    network = build_network(name, data.input_shape, data.classes, seed)
    settings = TrainSettings(epochs=epochs, seed=seed, batch_size=batch, learning_rate=rate, **RATE)
    train(network, data.train_inputs, data.train_labels, settings, classes=data.classes)
    return network


def measured(pair: list[nn.Module], data: Data) -> list[float]:
    """Return test accuracies 0-1 in the order of COLUMNS."""
    networks = list(pair)
    for ends in (pair, align(pair, how="weights")):
        middle = network_between(*ends, 0.5)
        networks += [middle, repair(middle, ends, data.train_inputs)]
    return [evaluate(network, *data.split("test"))[0] for network in networks]


def tables(
    device: str,
    *,
    data: str = "fashion",
    network: str = "mlp3",
    pairs: int = 5,
    epochs: int = 50,
    batch: int = 500,
    rate: float = 0.05,
) -> Iterator[Table | str]:
    """Yield a row over ``pairs`` of networks."""
    samples = load_data(DataSpec(dataset=data))
    both = [[trained(network, samples, 2 * n + k, epochs, batch, rate) for k in (0, 1)] for n in range(pairs)]
    rows = [measured(pair, samples) for pair in both]
    columns = [[100 * value for value in column] for column in zip(*rows, strict=True)]
    cells = [f"{fmean(column):.1f}" + (f" ± {stdev(column):.1f}" if pairs > 1 else "") for column in columns]
    counts = f"{len(samples.train_labels):,} / {len(samples.test_labels):,}"
    yield Table(("network", "data", "trained on / tested on", *COLUMNS), [[network, Path(data).stem, counts, *cells]])


BENCHMARK = Benchmark(name="repaired", title="Matching and REPAIR", minutes=4, tables=tables)

if __name__ == "__main__":
    BENCHMARK.main()
