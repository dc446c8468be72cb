"""Sources of different architectures: what distillation and optimal transport make of them, against their controls.

    python -m benchmarks.architectures [--seeds N]

Test accuracy in percent, mean and SD over seeds. A seed is other sources, each trained on its own share of the samples,
and another draw of what the merge may look at: so many labelled samples, half of them to validate.

In the first table a student of one architecture is trained for 300 steps. "alone": the source of its architecture as it
is; "distilled": from that source's weights, by what all sources predict and by labels; "no teacher": the same training
by labels alone; "anew" and "anew, no teacher": both from random weights. "gain" is distilled less no teacher, paired by
seeds.

In the second table MLPs of widths 32 and 64, from different random weights, meet in one of them. "copied": units of
equal number are averaged, without any matching; "transport": optimal transport maps them first; "+300": with 300 steps
of training by all labels, which the source alone gets as well.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import nn

from benchmarks.base import Benchmark
from benchmarks.tables import Table, spread
from softmerge_core.data import Data, load_dataset
from softmerge_core.data.base import MergeData
from softmerge_core.evaluation import evaluate
from softmerge_core.experiments.compare.drawing import drawn
from softmerge_core.methods import merge
from softmerge_core.networks import build_network
from softmerge_core.networks.mlp import MLP
from softmerge_core.settings import TrainSettings
from softmerge_core.training import train


@dataclass(frozen=True)
class Case:
    """A data set, networks that learn it with their settings, and from how many labels a merge may learn (0: all)."""

    dataset: str
    networks: dict[str, TrainSettings]
    labels: tuple[int, ...]


CASES = (
    Case(
        "digits",
        {
            "vgg": TrainSettings(epochs=12, batch_size=25, learning_rate=0.003, share=0.3),
            "resnet": TrainSettings(epochs=8, batch_size=25, learning_rate=0.003, share=0.3),
            "vit": TrainSettings(epochs=25, batch_size=25, learning_rate=0.003, share=0.3),
        },
        (100, 0),
    ),
    Case(
        "mnist1d",
        {
            "cnn1d": TrainSettings(epochs=20, batch_size=100, learning_rate=0.01, share=0.4),
            "lstm": TrainSettings(epochs=25, batch_size=50, learning_rate=0.01, share=0.4),
        },
        (200, 0),
    ),
)
WIDTHS = (32, 64)
WIDE = {
    "spirals": TrainSettings(epochs=30, batch_size=50, learning_rate=0.01),
    "digits": TrainSettings(epochs=20, batch_size=50, learning_rate=0.003),
}
STUDENTS = {  # column -> the method and what of its settings is not the usual
    "distilled": ("distillation", {}),
    "no teacher": ("fine_tuned_source", {}),
    "anew": ("distillation_anew", {}),
    "anew, no teacher": ("distillation_anew", {"alpha": 0}),
}
Accuracies = dict[str, list[float]]  # column -> percent, one a seed


def percent(network: nn.Module, data: Data) -> float:
    """Return the test accuracy in percent."""
    return 100 * evaluate(network, *data.split("test"))[0]


def trained(network: nn.Module, data: Data, settings: TrainSettings, seed: int) -> nn.Module:
    """Return ``network`` after training with these settings and this seed, which also chooses its share."""
    own = settings.model_copy(update={"seed": seed})
    train(network, data.train_inputs, data.train_labels, own, classes=data.classes)
    return network


def sources_of(case: Case, data: Data, seed: int) -> list[nn.Module]:
    """Return one source of each architecture, with weights, order and share of samples of its own."""
    seeds = [100 * seed + number for number in range(len(case.networks))]
    return [
        trained(build_network(name, data.input_shape, data.classes, own), data, settings, own)
        for own, (name, settings) in zip(seeds, case.networks.items(), strict=True)
    ]


def students(sources: Sequence[nn.Module], data: Data, seen: MergeData, target: int, seed: int) -> dict[str, float]:
    """Return the test accuracies of one source alone, of the ensemble, and of every student of its architecture."""
    found = {"alone": percent(sources[target], data), "ensemble": percent(merge("ensemble", sources, seen), data)}
    for column, (method, settings) in STUDENTS.items():
        found[column] = percent(merge(method, sources, seen, target=target, seed=seed, **settings), data)
    return {**found, "gain": found["distilled"] - found["no teacher"]}


def _student_rows(seeds: int) -> Iterator[list[str]]:
    for case in CASES:
        data = load_dataset(case.dataset)
        everything = [sources_of(case, data, seed) for seed in range(seeds)]
        for number in case.labels:
            for target, name in enumerate(case.networks):
                each = [
                    students(sources, data, drawn(data, number, seed) if number else data.for_merging(), target, seed)
                    for seed, sources in enumerate(everything)
                ]
                labels = f"{number}" if number else "all"
                yield [f"{case.dataset}, {'+'.join(case.networks)}", name, labels, *_cells(each)]


def _cells(each: Sequence[dict[str, float]]) -> list[str]:
    return [spread([found[column] for found in each]) for column in each[0]]


@torch.no_grad()
def copied(source: nn.Module, target: nn.Module) -> nn.Module:
    """Return ``target``, with the mean of both where ``source`` has a weight too: no units are matched."""
    result = copy.deepcopy(target)
    for mine, other in zip(result.parameters(), source.parameters(), strict=True):
        corner = tuple(slice(0, min(sizes)) for sizes in zip(mine.shape, other.shape, strict=True))
        mine[corner] = (mine[corner] + other[corner]) / 2
    return result


def widths(dataset: str, target: int, seed: int) -> dict[str, float]:
    """Return the test accuracies of two MLPs, and of what becomes of both in the shape of one of them."""
    data, ends = load_dataset(dataset), []
    for width in WIDTHS:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(1000 * seed + width)
            network = MLP(prod(data.input_shape), data.classes, width)
        ends.append(trained(network, data, WIDE[dataset], 1000 * seed + width))
    seen, other = data.for_merging(), ends[1 - target]
    fused = merge("transport", ends, seen, target=target)
    found = {"alone": ends[target], "other": other, "copied": copied(other, ends[target]), "transport": fused}
    for column, start in (("transport +300", fused), ("alone +300", ends[target])):
        found[column] = merge("fine_tuned_source", [start, other], seen, target=0, seed=seed)
    found["distilled"] = merge("distillation", ends, seen, target=target, seed=seed)
    return {column: percent(network, data) for column, network in found.items()}


def _width_rows(seeds: int) -> Iterator[list[str]]:
    for dataset in WIDE:
        for target, width in enumerate(WIDTHS):
            yield [dataset, str(width), *_cells([widths(dataset, target, seed) for seed in range(seeds)])]


def tables(device: str, *, seeds: int = 5) -> Iterator[Table | str]:
    """Yield a row for each architecture of a student and number of labels, and then one for each pair of widths."""
    yield Table(("sources", "into", "labels", "alone", "ensemble", *STUDENTS, "gain"), _student_rows(seeds))
    columns = ("alone", "other", "copied", "transport", "transport +300", "alone +300", "distilled")
    yield Table(("widths 32 and 64", "into", *columns), _width_rows(seeds))


BENCHMARK = Benchmark(
    name="architectures", title="Sources of different architectures and widths", minutes=15, tables=tables
)

if __name__ == "__main__":
    BENCHMARK.main()
