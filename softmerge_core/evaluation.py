"""Measuring a network on data: predictions in batches, accuracy, loss, calibration, and BatchNorm statistics."""

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

BATCH = 1024  # samples that are evaluated at once, at most
NUMBERS = 2**22  # ... and numbers in them: 27 images of 3 x 224 x 224, whose activations take a gigabyte or less
LEAST = 64  # samples that BatchNorm's statistics are taken from at once, however large
BATCHNORM_SAMPLES = 2048  # training samples on which BatchNorm is estimated again: enough for its statistics to settle


@torch.no_grad()
def predict(network: nn.Module, inputs: Tensor) -> Tensor:
    """Return the logits [N, classes] of ``network`` in evaluation mode; its own mode is restored afterwards."""
    with evaluation_mode(network):
        return torch.cat([network(batch) for batch in inputs.split(at_once(inputs))])


def at_once(inputs: Tensor, least: int = 1) -> int:
    """How many of the samples [N, ...] are computed at once: activations grow with them, and with their size."""
    size = max(1, inputs[:1].numel())
    return max(least, min(BATCH, NUMBERS // size))


def log_probabilities(network: nn.Module, inputs: Tensor) -> Tensor:
    """Return the log-probabilities [N, classes] of a copy of ``network`` with the device and precision of inputs."""
    floating = inputs.dtype if inputs.is_floating_point() else torch.float32
    return predict(copy.deepcopy(network).to(inputs.device, floating), inputs).log_softmax(1)


@contextmanager
def evaluation_mode(network: nn.Module) -> Iterator[None]:
    """Put every module of ``network`` in evaluation mode, and each back into its own mode afterwards."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def score(log_probabilities: Tensor, labels: Tensor) -> tuple[float, float]:
    """(accuracy 0-1, mean cross-entropy in nats) of log-probabilities or logits [N, classes]."""
    accuracy = (log_probabilities.argmax(1) == labels).double().mean().item()
    loss = functional.cross_entropy(log_probabilities.double(), labels).item()
    return accuracy, loss


def calibration_error(log_probabilities: Tensor, labels: Tensor, bins: int = 15) -> float:
    """Expected calibration error (0-1): mean |accuracy - confidence| over equal bins, weighted by size.

    Naeini, Cooper, Hauskrecht 2015; Guo et al. 2017 (arXiv 1706.04599, eq. 3). ``log_probabilities`` [N, classes].
    """
    confidence, decided = log_probabilities.double().softmax(1).max(1)
    gap = (decided == labels).double() - confidence
    place = (confidence * bins).ceil().long().clamp(1, bins) - 1  # bins are open below, closed above
    sums = torch.zeros(bins, dtype=torch.float64).index_add_(0, place, gap)
    return float(sums.abs().sum() / len(labels))


def evaluate(network: nn.Module, inputs: Tensor, labels: Tensor) -> tuple[float, float]:
    """(accuracy 0-1, mean cross-entropy in nats) of ``network`` on inputs [N, ...] and labels [N]."""
    return score(predict(network, inputs), labels)


def lowest_loss(losses: Sequence[float]) -> int:
    """The position of the lowest loss, the first of equals; a loss that is NaN never wins over one that is not."""
    return min(range(len(losses)), key=lambda index: math.inf if math.isnan(losses[index]) else losses[index])


def best_source(networks: Sequence[nn.Module], inputs: Tensor, labels: Tensor) -> int:
    """The position of the best of ``networks``: the one with the lowest loss on the (validation) samples."""
    return lowest_loss([evaluate(network, inputs, labels)[1] for network in networks])


def ensemble_log_probabilities(networks: Sequence[nn.Module], inputs: Tensor) -> Tensor:
    """Log of the networks' mean softmax output, [N, classes]."""
    return ensemble([predict(network, inputs) for network in networks])


def ensemble(outputs: Sequence[Tensor]) -> Tensor:
    """Log of the mean softmax, [N, classes], of networks' logits [N, classes]."""
    stacked = torch.stack([logits.log_softmax(1) for logits in outputs])
    return stacked.logsumexp(0) - torch.log(torch.tensor(float(len(outputs))))


def has_batchnorm(network: nn.Module) -> bool:
    """Whether any layer keeps running statistics that a change of weights makes stale."""
    return any(isinstance(module, _BatchNorm) and module.track_running_stats for module in network.modules())


def batchnorm_samples(network: nn.Module, samples: int) -> int:
    """How many of the training ``samples`` are computed when BatchNorm is estimated again; 0 if there is none."""
    return min(samples, BATCHNORM_SAMPLES) if has_batchnorm(network) else 0


@torch.no_grad()
def reestimate_batchnorm(network: nn.Module, inputs: Tensor, batch_size: int | None = None) -> None:
    """Replace every BatchNorm's running statistics by the average over ``inputs`` [N, ...], in place.

    So many as ``batch_size`` are computed at once, by default as many as ``at_once`` says.

    Weights stay as they are. Nothing is changed if there is no BatchNorm, or only one sample, which has no spread.
    """
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    if not norms or len(inputs) < 2:
        return
    modes = {module: module.training for module in network.modules()}
    momenta = [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a cumulative average instead of a moving one
        norm.train()
    for batch in inputs.split(batch_size or at_once(inputs, LEAST)):
        if len(batch) > 1:
            network(batch)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    for module, mode in modes.items():
        module.training = mode
