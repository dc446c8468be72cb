"""The scores of a network that are compared, on the data of an experiment. Loads torch."""

from torch import nn

from softmerge_core.data import Data
from softmerge_core.evaluation import calibration_error, evaluate, predict, score

NOT_FINITE = "the merged network's outputs are not finite"


def scores_of(network: nn.Module, data: Data) -> dict[str, float]:
    """Accuracy, loss (nats) and calibration error on test data, and accuracy on validation data; shares are 0-1."""
    inputs, labels = data.split("test")
    logits = predict(network, inputs)
    accuracy, loss = score(logits, labels)
    return {
        "accuracy": accuracy,
        "loss": loss,
        "calibration": calibration_error(logits, labels),
        "validation": evaluate(network, *data.split("validation"))[0],
    }
