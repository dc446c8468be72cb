"""Two networks trained apart, their middle, and what matching and REPAIR give back (Jordan et al. 2022, 2211.08403).

Perceptrons of three hidden layers of 128, each pair from two seeds, by SGD of .05 with momentum .9 for 50 epochs, as in
the paper's table for MNIST (ends 98.2, middle 15.3, matched 93.7, repaired 96.4). Test accuracy in percent, mean and SD
over pairs. ``--data`` is a data set, or a file such as that of `softmerge data import FashionMNIST`.
"""

from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, stdev

from torch import nn

from benchmarks.base import Benchmark
from benchmarks.tables import Table
from softmerge_core.alignment import align, repair
from softmerge_core.data import Data, load_data
from softmerge_core.evaluation import evaluate
from softmerge_core.flat import plain_average
from softmerge_core.networks import build_network
from softmerge_core.settings import DataSpec, TrainSettings
from softmerge_core.training import train

NETWORK = "mlp3"
RATE = {"optimiser": "sgd", "learning_rate": 0.05, "momentum": 0.9, "batch_size": 500, "schedule": "cosine"}
COLUMNS = ("one end", "the other", "middle", "matched", "matched and repaired")


def trained(data: Data, seed: int, epochs: int) -> nn.Module:
    """Return a network of its own seed."""
    network = build_network(NETWORK, data.input_shape, data.classes, seed)
    settings = TrainSettings(epochs=epochs, seed=seed, **RATE)
    train(network, data.train_inputs, data.train_labels, settings, classes=data.classes)
    return network


def measured(pair: list[nn.Module], data: Data) -> list[float]:
    """Return test accuracies 0-1 in the order of COLUMNS."""
    matched = align(pair, how="weights")
    middle = plain_average(matched, data.train_inputs)
    repaired = repair(plain_average(matched, data.train_inputs), matched, data.train_inputs)
    networks = [*pair, plain_average(pair, data.train_inputs), middle, repaired]
    return [evaluate(network, *data.split("test"))[0] for network in networks]


def tables(device: str, *, data: str = "fashion", pairs: int = 5, epochs: int = 50) -> Iterator[Table | str]:
    """Yield a row over ``pairs`` of networks."""
    samples = load_data(DataSpec(dataset=data))
    rows = [measured([trained(samples, 2 * n + k, epochs) for k in (0, 1)], samples) for n in range(pairs)]
    columns = [[100 * value for value in column] for column in zip(*rows, strict=True)]
    cells = [f"{fmean(column):.1f}" + (f" ± {stdev(column):.1f}" if pairs > 1 else "") for column in columns]
    counts = f"{len(samples.train_labels):,} / {len(samples.test_labels):,}"
    yield Table(("data", "trained on / tested on", *COLUMNS), [[Path(data).stem, counts, *cells]])


BENCHMARK = Benchmark(name="repaired", title="Matching and REPAIR", minutes=4, tables=tables)

if __name__ == "__main__":
    BENCHMARK.main()
