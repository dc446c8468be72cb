"""Ordinary training of one source: SGD or Adam on cross-entropy, with a pluggable penalty."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from softmerge_core.errors import DataError
from softmerge_core.evaluation import evaluate
from softmerge_core.events import Evaluation, Event, Loss, Progress
from softmerge_core.settings import TrainSettings

EVALUATIONS = 40  # in a short training; a long one evaluates every MAX_INTERVAL steps
MAX_INTERVAL = 50
REPORT_SECONDS = 0.1

Penalty = Callable[[nn.Module], Tensor]
History = tuple[tuple[int, float, float], ...]


@dataclass(frozen=True)
class TrainResult:
    """How a training ended.

    ``history``: (step, mean training loss since the last entry, validation accuracy).
    """

    stop_reason: str  # "finished", "stopped" or "non-finite loss"
    steps: int
    history: History


def seen_samples(labels: Tensor, settings: TrainSettings, classes: int) -> tuple[Tensor, Tensor]:
    """(indices, labels) of what a source sees: only its classes, its share of them, some labels random.

    ``labels``: int64 [N]. Both results are [n]; with ``label_noise`` p, each label is replaced by a uniform
    draw from all classes with probability p. Raises DataError for an unknown class or when none is left.
    """
    unknown = [label for label in settings.classes if not 0 <= label < classes]
    if unknown:
        raise DataError(f"classes: expected classes in 0..{classes - 1}, got {unknown[0]}")
    generator = torch.Generator().manual_seed(settings.seed)
    indices = torch.randperm(len(labels), generator=generator)
    if settings.classes:
        indices = indices[torch.isin(labels[indices], torch.tensor(settings.classes))]
    indices = indices[: max(1, round(settings.share * len(indices)))]
    if len(indices) == 0:
        raise DataError(f"no training data: no sample of the {len(labels)} is of classes {settings.classes}")
    noisy = torch.rand(len(indices), generator=generator) < settings.label_noise
    drawn = torch.randint(classes, (len(indices),), generator=generator)
    return indices, torch.where(noisy, drawn, labels[indices])


def noisy_inputs(inputs: Tensor, settings: TrainSettings) -> Tensor:
    """``inputs`` [N, ...] with Gaussian noise of ``feature_noise`` of their own SDs, the same one in every epoch."""
    if not settings.feature_noise:
        return inputs
    generator = torch.Generator().manual_seed(settings.seed)
    noise = torch.randn(inputs.shape, generator=generator, dtype=inputs.dtype)
    return inputs + settings.feature_noise * inputs.std() * noise


def train(
    network: nn.Module,
    inputs: Tensor,
    labels: Tensor,
    settings: TrainSettings,
    *,
    classes: int | None = None,
    validation: tuple[Tensor, Tensor] | None = None,
    penalty: Penalty | None = None,
    series: str = "source",
    on_event: Callable[[Event], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> TrainResult:
    """Train ``network`` in place on inputs [N, ...] and labels [N] int64; the settings say what it sees.

    ``penalty(network)`` (a scalar) is added to the cross-entropy. ``on_event`` gets Loss and Progress about
    ten times a second and an Evaluation of ``validation`` (inputs, labels) every few steps; ``should_stop`` is
    asked before each step. At the first loss that is not finite the last finite weights are put back. The
    network ends in evaluation mode. The same seed gives the same weights, bit for bit, on one machine and
    thread count.
    """
    training = Training(
        network,
        inputs,
        labels,
        settings,
        classes=classes,
        validation=validation,
        penalty=penalty,
        series=series,
        on_event=on_event,
    )
    for _ in range(settings.epochs):
        if not training.epoch(should_stop or (lambda: False)):
            break
    return training.result()


class Training:
    """One training, walked epoch by epoch: between two, the caller may look at ``network`` or change ``penalty``.

    Arguments and what is done are those of ``train``.
    """

    def __init__(
        self,
        network: nn.Module,
        inputs: Tensor,
        labels: Tensor,
        settings: TrainSettings,
        *,
        classes: int | None = None,
        validation: tuple[Tensor, Tensor] | None = None,
        penalty: Penalty | None = None,
        series: str = "source",
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        indices, seen = seen_samples(labels, settings, classes or int(labels.max()) + 1)
        self.network, self.settings = network, settings
        self.inputs, self.labels = noisy_inputs(inputs[indices], settings), seen
        self.validation, self.penalty, self.series = validation, penalty, series
        self.emit = on_event or (lambda event: None)
        self.total = settings.epochs * -(-len(self.inputs) // settings.batch_size)
        self.interval = min(MAX_INTERVAL, max(1, self.total // EVALUATIONS))
        self.generator = torch.Generator().manual_seed(settings.seed)
        self.dropout = torch.Generator().manual_seed(settings.seed).get_state()
        self.optimiser = _optimiser(network, settings)
        self.annealing = self._annealing() if settings.schedule == "cosine" else None
        self.stop_reason = "finished"
        self.tensors = list(network.parameters()) + list(network.buffers())
        self.finite = [tensor.detach().clone() for tensor in self.tensors]
        self.step, self.reported = 0, -math.inf
        self.losses: list[float] = []
        self.history: list[tuple[int, float, float]] = []

    def epoch(self, should_stop: Callable[[], bool] = lambda: False) -> bool:
        """One pass over the samples; False when the training came to its end before (see ``stop_reason``)."""
        with torch.random.fork_rng(devices=[]):  # dropout draws from global state
            torch.set_rng_state(self.dropout)
            self.stop_reason = self._walk(should_stop)
            self.dropout = torch.get_rng_state()
        return self.stop_reason == "finished"

    def _annealing(self) -> torch.optim.lr_scheduler.LRScheduler:
        """From the learning rate to zero over all steps (Loshchilov and Hutter 2016, arXiv 1608.03983, one cycle)."""
        return torch.optim.lr_scheduler.CosineAnnealingLR(self.optimiser, T_max=self.total)

    def result(self) -> TrainResult:
        """How it ended; the network is left with finite weights, in evaluation mode."""
        if not self._ends_finite():
            self.stop_reason = "non-finite loss"
        self.network.eval()
        return TrainResult(self.stop_reason, self.step, tuple(self.history))

    def _walk(self, should_stop: Callable[[], bool]) -> str:
        self.network.train()
        for inputs, labels in self._batches():
            if should_stop():
                return "stopped"
            if not self._one_step(inputs, labels):
                return "non-finite loss"
            if self.step % self.interval == 0 or self.step == self.total:
                self._evaluate()
        return "finished"

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.inputs), generator=self.generator)
        for chosen in order.split(self.settings.batch_size):
            yield self.inputs[chosen], self.labels[chosen]

    @torch.no_grad()
    def _put_back(self) -> None:
        for kept, tensor in zip(self.finite, self.tensors, strict=True):
            tensor.copy_(kept)

    def _losses(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        task = functional.cross_entropy(self.network(inputs), labels)
        extra = self.penalty(self.network) if self.penalty else torch.zeros(())
        return task, extra

    def _one_step(self, inputs: Tensor, labels: Tensor) -> bool:
        """One optimiser step; False, with the last finite weights in place, when the loss is not finite."""
        previous = [tensor.detach().clone() for tensor in self.tensors]
        self.network.train(len(inputs) > 1 or not _needs_batches(self.network))
        task, extra = self._losses(inputs, labels)
        loss = task + extra
        value = loss.item()
        if value - value != 0:  # NaN or Inf
            self._put_back()
            return False
        self.finite = previous
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        if self.annealing is not None:
            self.annealing.step()
        self.step += 1
        self.losses.append(task.item())
        self.report(task.item(), extra.item(), value)
        return True

    @torch.no_grad()
    def _ends_finite(self) -> bool:
        """Whether the last weights still give a finite loss; else the ones before are put back."""
        self.network.eval()
        size = self.settings.batch_size
        task, extra = self._losses(self.inputs[:size], self.labels[:size])
        buffers = all(bool(torch.isfinite(t).all()) for t in self.tensors if t.is_floating_point())
        if buffers and bool(torch.isfinite(task + extra)):
            return True
        self._put_back()
        return False

    def report(self, task: float, extra: float, total: float) -> None:
        """Tell the losses (nats) of the last step, about ten times a second; a subclass may tell them otherwise."""
        now = time.monotonic()
        if now - self.reported < REPORT_SECONDS and self.step not in (1, self.total):
            return
        self.reported = now
        self.emit(Loss(step=self.step, series=self.series, task=task, penalty=extra, total=total))
        self.emit(Progress(step=self.step, total=self.total))

    def _evaluate(self) -> None:
        mean = sum(self.losses) / len(self.losses)
        self.losses = []
        if self.validation is None:
            return
        accuracy, loss = evaluate(self.network, *self.validation)
        self.history.append((self.step, mean, accuracy))
        if loss - loss == 0:
            self.emit(Evaluation(step=self.step, series=self.series, split="validation", accuracy=accuracy, loss=loss))


def _needs_batches(network: nn.Module) -> bool:
    return any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in network.modules())


def _optimiser(network: nn.Module, settings: TrainSettings) -> torch.optim.Optimizer:
    rate, decay = settings.learning_rate, settings.weight_decay
    if settings.optimiser == "adam":
        return torch.optim.Adam(network.parameters(), lr=rate, weight_decay=decay, foreach=True)
    return torch.optim.SGD(network.parameters(), lr=rate, momentum=settings.momentum, weight_decay=decay, foreach=True)
