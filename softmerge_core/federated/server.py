"""One overlaid run's server: what it sends in each round, what it makes of the answers. Read ``Server`` first."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from softmerge_core.errors import RunError
from softmerge_core.evaluation import evaluate
from softmerge_core.federated import find_algorithm
from softmerge_core.federated.aggregation import Aggregate, aggregate
from softmerge_core.federated.base import Memory, Round
from softmerge_core.federated.client import ClientTask, ClientUpdate, train_clients
from softmerge_core.federated.scene import is_malicious, participants, scene_of, state_of
from softmerge_core.federated.settings import FederatedRun, Federation
from softmerge_core.landscape import weights_of
from softmerge_core.scope.measure import Scope, distance, fuse, scope_of
from softmerge_core.settings import parse

BUNDLE = 150  # local steps that make a task worth sending to another process: about a fifth of a second


@dataclass(frozen=True)
class RoundReport:
    """What a round came to.

    ``accuracy`` (0-1), ``loss`` (nats): of the server's network on test data; ``clients``: who took part, with the
    accuracy of each one's network after local training on all test data. Of honest clients: ``drift``, the mean of
    |y_i - x| / |x|; ``spread``, the mean over clients and layers of the Jeffreys divergence (nats) between their
    scope and the fused one. ``gates``: each client's mean gate, where there are any.
    """

    round: int
    accuracy: float
    loss: float
    clients: tuple[int, ...]
    accuracies: tuple[float, ...]
    drift: float
    spread: float
    gates: tuple[float, ...]
    excluded: tuple[int, ...]
    notices: tuple[str, ...]


class Server:
    """The server of one run: ``tasks`` of a round, then ``take`` what came back, round after round from 1 on."""

    def __init__(self, federation: Federation, run: FederatedRun) -> None:
        self.federation, self.run, self.scene = federation, run, scene_of(federation)
        self.algorithm = find_algorithm(run.algorithm)
        self.settings = parse(self.algorithm.settings, run.settings, f"settings of {self.algorithm.title}")
        self.network = self.scene.new_network().eval()
        self.memory: Memory = {}
        self.scopes: dict[int, Scope] = {}  # the last of each client that was accepted
        self.shares: dict[int, float] = {}  # how much each of them weighs in the fused scope
        self.fused = scope_of(self.network).detach()
        self.round = 0

    def tasks(self) -> list[ClientTask]:
        """What the clients of the next round are sent."""
        state = state_of(self.network)
        scope = (self.fused.layers, self.fused.mu.numpy(), self.fused.sigma.numpy()) if self.run.scope else None
        return [self._task(client, state, scope) for client in participants(self.federation, self.round + 1)]

    def _task(self, client: int, state: Any, scope: Any) -> ClientTask:
        terms = self.algorithm.terms(self.memory, client, self.settings)
        linear = None if terms.linear is None else terms.linear.numpy()
        return ClientTask(self.federation, self.round + 1, client, state, linear, terms.quadratic, scope)

    def take(self, updates: Sequence[ClientUpdate], should_stop: Callable[[], bool] | None = None) -> RoundReport:
        """Aggregate what clients sent, go on to the next round, and say how it went."""
        self.round += 1
        sent = {update.client: self.scene.network(update.state).eval() for update in updates}
        samples = {update.client: update.samples for update in updates}
        merged = aggregate(self.run.aggregation, sent, samples, self.scene, self.round, should_stop)
        start = weights_of(self.network)
        if merged.network is not None:
            self._learn(merged, start, sent, {update.client: update.steps for update in updates})
            self._fuse(merged, sent, samples)
        return self._report(merged, start, sent, {update.client: update.accuracy for update in updates})

    def _learn(self, merged: Aggregate, start: Tensor, sent: Mapping[int, nn.Module], steps: Mapping[int, int]) -> None:
        """The algorithm's last word on the merged weights, unless it is not finite."""
        assert merged.network is not None
        settings = self.federation.settings
        accepted = {client: weights_of(sent[client]) for client in merged.accepted}
        end = Round(start, accepted, steps, weights_of(merged.network), settings.clients, settings.learning_rate)
        weights = self.algorithm.finish(end, self.memory, self.settings)
        if bool(torch.isfinite(weights).all()):
            self.network = merged.network
            nn.utils.vector_to_parameters(weights, self.network.parameters())
            self._renew_batchnorm(weights, end.merged)

    def _renew_batchnorm(self, weights: Tensor, merged: Tensor) -> None:
        from softmerge_core.evaluation import reestimate_batchnorm

        if not torch.equal(weights, merged):
            reestimate_batchnorm(self.network, self.scene.server.train_inputs)

    def _fuse(self, merged: Aggregate, sent: Mapping[int, nn.Module], samples: Mapping[int, int]) -> None:
        """The fused scope: of the last network of each client, weighted as the server weighs them."""
        for client in merged.accepted:
            self.scopes[client] = scope_of(sent[client]).detach()
            self.shares[client] = samples[client] * merged.gates.get(client, 1.0)
        known = sorted(self.scopes)
        fused = fuse([self.scopes[client] for client in known], [self.shares[client] for client in known])
        if bool(torch.isfinite(fused.mu).all() and torch.isfinite(fused.sigma).all()):
            self.fused = fused

    def _report(
        self, merged: Aggregate, start: Tensor, sent: Mapping[int, nn.Module], accuracies: Mapping[int, float]
    ) -> RoundReport:
        honest = [network for client, network in sent.items() if not is_malicious(self.federation, client)]
        accuracy, loss = evaluate(self.network, *self.scene.data.split("test"))
        return RoundReport(
            round=self.round,
            accuracy=accuracy,
            loss=loss,
            clients=tuple(sent),
            accuracies=tuple(accuracies.values()),
            drift=_mean(float((weights_of(y) - start).norm() / start.norm()) for y in honest),
            spread=_mean(float(distance(scope_of(y), self.fused).mean()) for y in honest),
            gates=tuple(merged.gates.get(client, 0.0) for client in sent) if merged.gates else (),
            excluded=merged.excluded,
            notices=merged.notices,
        )

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, in tensors and plain values."""
        scopes = {client: (scope.mu, scope.sigma) for client, scope in self.scopes.items()}
        return {
            "round": self.round,
            "network": self.network.state_dict(),
            "memory": dict(self.memory),
            "scopes": scopes,
            "shares": dict(self.shares),
            "fused": (self.fused.mu, self.fused.sigma),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of ``state``."""
        layers = self.fused.layers
        self.round, self.memory, self.shares = state["round"], dict(state["memory"]), dict(state["shares"])
        self.network.load_state_dict(state["network"])
        self.scopes = {client: Scope(layers, *pair) for client, pair in state["scopes"].items()}
        self.fused = Scope(layers, *state["fused"])


def _mean(values: Iterable[float]) -> float:
    """NaN of none."""
    found = list(values)
    return sum(found) / len(found) if found else float("nan")


def bundles(tasks: Sequence[ClientTask]) -> list[list[ClientTask]]:
    """The tasks in their order, in bundles of about BUNDLE local steps; what comes of each does not depend on them."""
    result: list[list[ClientTask]] = []
    steps = BUNDLE
    for task in tasks:
        settings = task.federation.settings
        samples = len(scene_of(task.federation).clients[task.client])
        if steps >= BUNDLE:
            result.append([])
            steps = 0
        result[-1].append(task)
        steps += settings.local_epochs * -(-samples // settings.batch_size)
    return result


def save(servers: Sequence[Server], extra: Mapping[str, Any]) -> bytes:
    """All servers at a round's end, and plain values beside them, as bytes."""
    buffer = io.BytesIO()
    torch.save({"servers": {server.run.key: server.state() for server in servers}, "extra": dict(extra)}, buffer)
    return buffer.getvalue()


def load(servers: Sequence[Server], snapshot: bytes) -> dict[str, Any]:
    """The inverse of ``save``: puts the servers back, returns the plain values. RunError for damaged bytes."""
    try:
        plain = torch.load(io.BytesIO(snapshot), weights_only=True)
        for server in servers:
            server.restore(plain["servers"][server.run.key])
        return dict(plain["extra"])
    except Exception as error:  # torch.load raises whatever the damage happens to touch
        raise RunError(f"the snapshot is damaged: {error}") from error


def federate(federation: Federation, run: FederatedRun) -> Iterator[tuple[Server, RoundReport]]:
    """One run alone, in this process: the server, always the same one, and the report of each round."""
    server = Server(federation, run)
    for _ in range(federation.settings.rounds):
        yield server, server.take(train_clients(server.tasks()))
