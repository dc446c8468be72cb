"""The scores of a network that are compared, on the data of an experiment. Loads torch."""

import math
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from softmerge_core.data import Data
from softmerge_core.evaluation import calibration_error, evaluate, predict, score
from softmerge_core.statistics import pack

NOT_FINITE = "the merged network's outputs are not finite"


def correctness(log_probabilities: Tensor, labels: Tensor) -> str:
    """Which samples log-probabilities or logits [N, classes] get right, as ``statistics.pack`` writes it."""
    return pack((log_probabilities.argmax(1) == labels).tolist())


def scores_of(network: nn.Module, data: Data) -> dict[str, Any]:
    """Fields of a Score: accuracy, loss (nats) and calibration error on test data, and accuracy on validation data.

    Shares are 0-1; ``correct`` tells which test samples the network gets right.
    """
    inputs, labels = data.split("test")
    logits = predict(network, inputs)
    accuracy, loss = score(logits, labels)
    return {
        "accuracy": accuracy,
        "loss": loss,
        "calibration": calibration_error(logits, labels),
        "validation": evaluate(network, *data.split("validation"))[0],
        "correct": correctness(logits, labels),
    }


def all_finite(scores: Mapping[str, Any]) -> bool:
    """Whether every number of ``scores_of`` is finite."""
    return all(math.isfinite(value) for value in scores.values() if isinstance(value, float))
