"""What a merge is scored beside, and what each network gets right."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import nn

from softmerge_core.checkpoints.sources import LazySources
from softmerge_core.data import Data
from softmerge_core.evaluation import ensemble, lowest_loss, predict, score
from softmerge_core.experiments.merge.predicting import predictions
from softmerge_core.experiments.scoring import correctness
from softmerge_core.flat import plain_average

SPLITS = ("validation", "test")


class Others(NamedTuple):
    """The networks that every merge of the same sources is scored beside.

    ``average``: the plain average of the sound sources; ``outputs``: what each source makes of each split.
    """

    average: nn.Module
    outputs: list[dict[str, torch.Tensor]]


def others_of(modules: Sequence[nn.Module], sound: Sequence[int], data: Data) -> Others:
    """What a merge of ``modules``, of which those at the ``sound`` positions take part, is scored beside."""
    mean = plain_average(LazySources.of(modules).pick(sound), data.train_inputs)
    return Others(mean, [_outputs(copy.deepcopy(modules[index]), data) for index in range(len(modules))])


def score_all(
    model: nn.Module,
    others: Others,
    sound: Sequence[int],
    names: Sequence[str],
    data: Data,
    beside: Mapping[str, nn.Module] | None = None,
) -> tuple[dict[str, Any], dict[str, torch.Tensor]]:
    """Accuracy (0-1) and loss (nats) on test and validation data of merge, average, sources, ensemble and what is
    ``beside`` them; and what they predict for the test samples, as it is kept.

    Only the ``sound`` sources (positions) count for the average, the best source and the ensemble. The best source
    has the lowest validation loss. ``correct`` tells which test samples each network gets right.
    """
    mean, outputs = others
    table: dict[str, dict[str, Any]] = {}
    for split in SPLITS:  # the test samples come last
        inputs, labels = data.split(split)
        sources = [own[split] for own in outputs]
        made = {
            "soft": predict(model, inputs),
            "average": predict(mean, inputs),
            "ensemble": ensemble([sources[index] for index in sound]),
            **{name: predict(each.cpu(), inputs) for name, each in (beside or {}).items()},
        }
        table[split] = {name: _row(each, labels) for name, each in made.items()}
        table[split]["sources"] = [_row(own, labels) for own in sources]
    best = sound[lowest_loss([table["validation"]["sources"][index][1] for index in sound])]
    scores = {
        "accuracy": _column(table["test"], best, 0),
        "loss": _column(table["test"], best, 1),
        "validation_accuracy": _column(table["validation"], best, 0),
        "validation_loss": _column(table["validation"], best, 1),
        "correct": _column(table["test"], best, 2),
        "best_source": names[best],
        "samples": {split: len(data.split(split)[1]) for split in ("train", "validation", "test")},
    }
    return scores, predictions(made, sources, labels, best)


def _outputs(network: nn.Module, data: Data) -> dict[str, torch.Tensor]:
    """What a network makes of each split, [N, classes]."""
    return {split: predict(network, data.split(split)[0]) for split in SPLITS}


def _row(outputs: torch.Tensor, labels: torch.Tensor) -> tuple[float, float, str]:
    """(accuracy, loss, which samples are right) of a network's outputs [N, classes]."""
    return *score(outputs, labels), correctness(outputs, labels)


def _column(row: dict[str, Any], best: int, index: int) -> dict[str, Any]:
    """One entry (0: accuracy, 1: loss, 2: which samples are right) of every network in a split's row."""
    sources = [scores[index] for scores in row["sources"]]
    single = {name: scores[index] for name, scores in row.items() if name != "sources"}
    return {**single, "best_source": sources[best], "sources": sources}
