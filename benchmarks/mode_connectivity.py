"""The effect of weight scope alignment on the barrier between two networks, over the training factors of its paper.

    python -m benchmarks.mode_connectivity [--seeds 5] [--quick]

Two networks are trained from the same random weights, the second with one factor changed: each once plainly, and once
with the KL penalty (weight 1) toward the scope of the initial weights, as by default on the Scope page. The barrier is
the largest rise of the test error, over 11 points of the straight line, above the line between its ends (0-1).
The columns are the mean and SD over seeds, the same over the seeds whose plain barrier is over .3, and the mean test
accuracy of the ends. In the last rows alignment is not expected to help: different random weights, another network.
"""

import copy
import os
import statistics
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import torch
from torch import nn

from benchmarks.base import Benchmark
from benchmarks.tables import Table, spread
from softmerge_core.data import Data, load_dataset
from softmerge_core.experiments.scope.spec import FACTORS, ScopeSpec, SourceTraining
from softmerge_core.landscape import Surface, barrier, line_points, weights_of
from softmerge_core.networks import build_network
from softmerge_core.scope.measure import ScopePenalty, fuse, scope_of
from softmerge_core.training import train

POINTS = [number / 10 for number in range(11)]
HIGH = 0.3  # barriers over this count as high
OTHER_START = 1000  # added to the seed of the second network's initial weights


@dataclass(frozen=True)
class Case:
    """A row of the table."""

    title: str
    factor: str
    network: str = "vgg"
    dataset: str = "digits16"
    same_start: bool = True


TITLES = {
    "weight_decay": "weight decay .001",
    "label_noise": "label noise .2",
    "adam": "Adam instead of SGD",
    "share": "a fifth of the data",
    "feature_noise": "feature noise .5",
}
CASES = (
    *(Case(title, factor) for factor, title in TITLES.items()),
    Case("feature noise, different random weights", "feature_noise", same_start=False),
    Case("feature noise, 1-D CNN on MNIST-1D", "feature_noise", "cnn1d", "mnist1d"),
)


@dataclass(frozen=True)
class Found:
    """The error barrier (0-1) of one pair, and the mean test accuracy (0-1) of its ends."""

    barrier: float
    accuracy: float


def found(seed: int, weight: float, cases: Sequence[Case]) -> list[Found]:
    """Return the results of every case for one seed; cases that share a first network train it once."""
    torch.set_num_threads(1)
    firsts: dict[tuple[str, str, bool], nn.Module] = {}
    result = []
    for case in cases:
        data = load_dataset(case.dataset)
        seeds = seed, seed if case.same_start else seed + OTHER_START
        starts = [build_network(case.network, data.input_shape, data.classes, own) for own in seeds]
        penalty = ScopePenalty(fuse([scope_of(start) for start in starts]), weight) if weight else None
        key = case.network, case.dataset, case.same_start  # if the starts differ, so does the target
        if key not in firsts:
            firsts[key] = trained(starts[0], data, SourceTraining(seed=100 + seed), penalty)
        other = SourceTraining(seed=200 + seed, **FACTORS[case.factor])
        result.append(between(firsts[key], trained(starts[1], data, other, penalty), data))
    return result


def trained(start: nn.Module, data: Data, source: SourceTraining, penalty: ScopePenalty | None) -> nn.Module:
    """Return a copy of ``start``, trained as the page would train it."""
    how = ScopeSpec(sources=(source, source)).training(0)
    network = copy.deepcopy(start)
    train(network, data.train_inputs, data.train_labels, how, classes=data.classes, penalty=penalty)
    return network


def between(first: nn.Module, second: nn.Module, data: Data) -> Found:
    """Return the barrier on the straight line, and the accuracy of its ends."""
    surface = Surface(first, {"test": data.split("test")}, data.train_inputs)
    errors = surface.at(line_points(weights_of(first), weights_of(second), POINTS))["test"][:, 1].tolist()
    return Found(barrier(POINTS, errors)[0], 1 - (errors[0] + errors[-1]) / 2)


def _of(values: Sequence[float]) -> str:
    return spread(values, 2) if values else "-"


def row(case: Case, plain: Sequence[Found], aligned: Sequence[Found]) -> list[str]:
    """Return one row of the table."""
    pairs = [(one.barrier, other.barrier) for one, other in zip(plain, aligned, strict=True)]
    high = [both for both in pairs if both[0] > HIGH]
    return [
        case.title,
        _of([one for one, _ in pairs]),
        _of([other for _, other in pairs]),
        str(len(high)),
        _of([one for one, _ in high]),
        _of([other for _, other in high]),
        f"{100 * statistics.mean(one.accuracy for one in plain):.1f}",
        f"{100 * statistics.mean(other.accuracy for other in aligned):.1f}",
    ]


def tables(device: str, *, seeds: int = 5, first: int = 10, quick: bool = False) -> Iterator[Table | str]:
    """Yield the table: of ``seeds`` pairs from the seed ``first`` on (the defaults were chosen on 0 to 2).

    ``quick`` means one seed of two rows.
    """
    columns = ("second network", "without", "with", "seeds over .3", "without", "with", "accuracy, %", "with, %")
    yield Table(columns, _rows(range(first, first + (1 if quick else seeds)), CASES[4:6] if quick else CASES))


def _rows(seeds: Sequence[int], cases: Sequence[Case]) -> Iterator[list[str]]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        jobs = [[pool.submit(found, seed, weight, cases) for seed in seeds] for weight in (0.0, ScopeSpec().weight)]
        plain, aligned = ([job.result() for job in some] for some in jobs)
    for place, case in enumerate(cases):
        yield row(case, [some[place] for some in plain], [some[place] for some in aligned])
    factors = range(len(TITLES)) if cases is CASES else range(1)
    yield row(Case("all five factors", ""), *([s[k] for k in factors for s in some] for some in (plain, aligned)))


BENCHMARK = Benchmark(
    name="mode_connectivity", title="What weight scope alignment does to barriers", minutes=60, tables=tables
)

if __name__ == "__main__":
    BENCHMARK.main()
