"""The layers of a network as a manifest tells them, and how good a network is on each split."""

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from softmerge_core.anatomy import describe
from softmerge_core.data import Data
from softmerge_core.evaluation import BATCH, evaluate, predict, score
from softmerge_core.zoo.manifest import LayerInfo

BUDGET = 5e11  # floating-point operations: some twenty seconds on one core
LEAST = 100  # samples from which an accuracy says something
NUMBERS = 2**22  # in the inputs of one batch


def layer_infos(network: nn.Module) -> tuple[LayerInfo, ...]:
    """Name, kind, block, channels and parameter count of every layer, in order."""
    return tuple(
        LayerInfo(name=x.name, kind=x.kind, block=x.block, channels=x.channels, parameters=x.parameters)
        for x in describe(network)
    )


def scores(network: nn.Module, data: Data) -> tuple[dict[str, float], dict[str, float]]:
    """(accuracy 0-1, loss in nats) of ``network``, each by "train", "validation" and "test"."""
    accuracy, loss = {}, {}
    for split in ("train", "validation", "test"):
        accuracy[split], loss[split] = evaluate(network, *data.split(split))
    return accuracy, loss


def bounded_scores(network: nn.Module, data: Data) -> tuple[dict[str, float], dict[str, float], str]:
    """The same as ``scores`` as far as that takes no more than BUDGET, and what was left out, in words.

    The test samples come first, then those of validation and training. Of a split that would take too much the first
    samples count, if they are LEAST or more.
    """
    accuracy, loss, measured, left = {}, {}, [], BUDGET
    for split in ("test", "validation", "train"):
        inputs, labels = data.split(split)
        each = _cost(network, inputs[:1])
        count = min(len(inputs), int(left / each))
        if count >= min(LEAST, len(inputs)):
            accuracy[split], loss[split] = _evaluate(network, inputs[:count], labels[:count])
            left -= count * each
            measured.append((split, count, count == len(inputs)))
    if len(measured) == 3 and all(whole for _, _, whole in measured):
        return accuracy, loss, ""
    parts = [f"{'all' if whole else f'the first {count:,}'} {split} samples" for split, count, whole in measured]
    return accuracy, loss, f"Measured on {' and '.join(parts) or 'no samples'} only: more would take too long."


def _cost(network: nn.Module, sample: Tensor) -> float:
    """The floating-point operations of one sample, but for what torch does not count."""
    with FlopCounterMode(display=False) as counter:
        predict(network, sample)
    return max(1.0, float(counter.get_total_flops()))


def _evaluate(network: nn.Module, inputs: Tensor, labels: Tensor) -> tuple[float, float]:
    """(accuracy, loss) in batches of so few samples that what large images become fits into the memory."""
    batch = max(1, min(BATCH, NUMBERS // max(1, inputs[0].numel())))
    return score(torch.cat([predict(network, part) for part in inputs.split(batch)]), labels)
