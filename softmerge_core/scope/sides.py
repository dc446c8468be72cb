"""Sources trained on two sides, without and with scope alignment, and measured epoch by epoch."""

import copy
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import torch
from torch import nn

from softmerge_core.data import Data
from softmerge_core.evaluation import BATCHNORM_SAMPLES
from softmerge_core.events import Barrier, Evaluation, Event, Histogram, Loss, Scopes, WeightPath
from softmerge_core.landscape import Surface, line_points, network_at, weights_of
from softmerge_core.numbers import rounded, significant
from softmerge_core.scope.measure import Scope, ScopePenalty, distance, scope_of, scoped_weights
from softmerge_core.scope.normality import normality
from softmerge_core.settings import TrainSettings
from softmerge_core.training import Training

BINS = 40
REACH = 5  # standard deviations from the mean that a histogram covers at most
POINTS = 21  # of a path at the end

Tell = Callable[[Event], None]


class EpochTraining(Training):
    """A training that reports its losses when asked, not by the clock, so that a repeated run tells the same."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.seen: list[tuple[float, float]] = []
        self.over = False

    def report(self, task: float, extra: float, total: float) -> None:
        self.seen.append((task, extra))

    def take(self) -> tuple[float, float] | None:
        """(mean cross-entropy, mean penalty) of the steps since the last call; None when there were none."""
        seen, self.seen = self.seen, []
        return tuple(torch.tensor(seen, dtype=torch.float64).mean(0).tolist()) if seen else None


class Side:
    """The sources of one side as they train from copies of ``starts``; ``name``: "plain" or "aligned".

    ``settings``: those of each source's training. With a ``penalty``, whose target may change between epochs, all
    sources are pulled alike.
    """

    def __init__(
        self,
        name: str,
        starts: Sequence[nn.Module],
        data: Data,
        settings: Sequence[TrainSettings],
        penalty: ScopePenalty | None = None,
    ) -> None:
        self.name, self.penalty = name, penalty
        self.networks = [copy.deepcopy(start) for start in starts]
        self.trainings = [
            EpochTraining(network, data.train_inputs, data.train_labels, own, classes=data.classes, penalty=penalty)
            for network, own in zip(self.networks, settings, strict=True)
        ]

    def epoch(self, should_stop: Callable[[], bool]) -> bool:
        """One epoch of every source that still can; False when asked to stop."""
        for training in self.trainings:
            if not training.over and not training.epoch(should_stop):
                training.over = True
                if training.stop_reason == "stopped":
                    return False
        return True

    def end(self) -> list[str]:
        """Leave finite weights, in evaluation mode; returns why each source's training ended."""
        return [training.result().stop_reason for training in self.trainings]

    def scopes(self) -> list[Scope]:
        """Each source's scope as it stands."""
        return [scope_of(network).detach() for network in self.networks]


class Observer:
    """Measures the sides on test data and tells the events; ``last``: each side's newest values, ready for JSON."""

    def __init__(self, template: nn.Module, data: Data, tell: Tell) -> None:
        self.template, self.tell = template, tell
        self.statistics = data.train_inputs[:BATCHNORM_SAMPLES]
        self.surface = Surface(template, {"test": data.split("test")}, self.statistics)
        self.last: dict[str, dict[str, Any]] = {}

    def look(self, side: Side, step: int) -> None:
        """Tell losses, test scores, scopes and the barrier of a side after ``step`` epochs."""
        scopes = side.scopes()
        for number, (training, scope) in enumerate(zip(side.trainings, scopes, strict=True)):
            self._losses(f"{side.name}:{number}", training, step)
            self.tell(scopes_event(f"{side.name}:{number}", scope, step))
        if side.penalty is not None:
            self.tell(scopes_event(f"{side.name}:target", side.penalty.target, step))
        self._barrier(side, scopes, step)

    def _losses(self, series: str, training: EpochTraining, step: int) -> None:
        found = training.take()
        if found is not None:
            task, extra = rounded(found)
            self.tell(Loss(step=step, series=series, task=task, penalty=extra, total=task + extra))

    def _barrier(self, side: Side, scopes: Sequence[Scope], step: int) -> None:
        points = torch.stack([weights_of(network) for network in side.networks])
        *own, middle = self.surface.at(torch.cat([points, points.mean(0, keepdim=True)]))["test"].tolist()
        for number, (loss, error) in enumerate(own):
            self._evaluation(f"{side.name}:{number}", step, loss, error)
        mean_loss, mean_error = (sum(values) / len(own) for values in zip(*own, strict=True))
        apart = between(scopes)
        barrier = Barrier(
            step=step,
            series=side.name,
            error=significant(middle[1] - mean_error),
            loss=significant(middle[0] - mean_loss),
            distance=rounded(apart),
        )
        self.tell(barrier)
        self.last[side.name] = {
            "barrier": {"error": barrier.error, "loss": barrier.loss},
            "accuracy": [1 - error for _, error in own],
            "loss": [loss for loss, _ in own],
            "distance": dict(zip(scopes[0].layers, barrier.distance, strict=True)),
        }

    def _evaluation(self, series: str, step: int, loss: float, error: float) -> None:
        if loss - loss == 0:
            values = {"accuracy": significant(1 - error), "loss": significant(loss)}
            self.tell(Evaluation(step=step, series=series, split="test", **values))

    def histograms(self, series: str, network: nn.Module, step: int) -> None:
        """Tell the distribution of the weights in every layer of ``network``."""
        for layer, weight in scoped_weights(network).items():
            self.tell(histogram(series, layer, weight.detach(), step))

    def paths(self, series: str, networks: Sequence[nn.Module], step: int) -> None:
        """Tell loss and error on the straight line from the first of ``networks`` to the second."""
        ts = [number / (POINTS - 1) for number in range(POINTS)]
        values = self.surface.at(line_points(weights_of(networks[0]), weights_of(networks[1]), ts))["test"]
        loss, error = (rounded(column) for column in values.T.tolist())
        self.tell(WeightPath(step=step, series=series, t=tuple(ts), test_loss=loss, test_error=error))

    def merged(self, series: str, networks: Sequence[nn.Module], step: int) -> tuple[nn.Module, float]:
        """The average of ``networks``, whose test scores are told, and its test accuracy (0-1)."""
        point = torch.stack([weights_of(network) for network in networks]).mean(0)
        loss, error = self.surface.at(point[None])["test"][0].tolist()
        self._evaluation(series, step, loss, error)
        return network_at(self.template, point, self.statistics), 1 - error


def walk(plain: Side, aligned: Side, epochs: int, *, lockstep: bool) -> Iterator[tuple[Side, int]]:
    """(side, epochs it has done before): both sides in turn epoch by epoch, or all of the plain side first."""
    if lockstep:
        yield from ((side, epoch) for epoch in range(epochs) for side in (plain, aligned))
    else:
        yield from ((side, epoch) for side in (plain, aligned) for epoch in range(epochs))


def between(scopes: Sequence[Scope]) -> list[float]:
    """Per layer, the Jeffreys divergence (nats) of two scopes, the mean over all pairs."""
    pairs = [distance(first, second) for first, second in itertools.combinations(scopes, 2)]
    found: list[float] = torch.stack(pairs).mean(0).tolist()
    return found


def scopes_event(series: str, scope: Scope, step: int) -> Scopes:
    """A scope as plain numbers."""
    mu, sigma = (rounded(values.double().tolist()) for values in (scope.mu, scope.sigma))
    return Scopes(step=step, series=series, layers=scope.layers, mu=mu, sigma=sigma)


def histogram(series: str, layer: str, weight: torch.Tensor, step: int) -> Histogram:
    """``weight`` (any shape) in BINS equal bins from its least to its largest entry, or REACH sigma at most."""
    values = weight.double().flatten()
    mu, sigma = float(values.mean()), float(values.std(correction=0))
    low = max(float(values.min()), mu - REACH * sigma)
    high = min(float(values.max()), mu + REACH * sigma)
    if not high > low:  # all alike
        low, high = mu - 1e-6, mu + 1e-6
    counts = torch.histc(values, BINS, low, high).long().tolist()
    measured = {name: significant(value) for name, value in vars(normality(values)).items()}
    place = {"mu": mu, "sigma": sigma, "low": low, "high": high}
    return Histogram(
        step=step,
        series=series,
        layer=layer,
        counts=tuple(counts),
        outside=len(values) - sum(counts),
        **{name: significant(value) for name, value in place.items()},
        **measured,
    )
