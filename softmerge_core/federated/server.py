"""The server of one overlaid run: it sends out tasks, merges the answers and reports. Read ``Server`` first."""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from softmerge_core.errors import RunError
from softmerge_core.evaluation import evaluate, reestimate_batchnorm
from softmerge_core.federated.aggregation import Aggregate, aggregate
from softmerge_core.federated.algorithms import find_algorithm
from softmerge_core.federated.algorithms.base import Memory, Round
from softmerge_core.federated.client import ClientTask, ClientUpdate, train_clients
from softmerge_core.federated.dealing import is_malicious, participants
from softmerge_core.federated.scene import State, scene_of, state_of
from softmerge_core.federated.settings import FederatedRun, Federation
from softmerge_core.landscape import weights_of
from softmerge_core.scope.measure import Scope, distance, fuse, scope_of
from softmerge_core.settings import parse

BUNDLE = 150  # local steps (about 0.2 s of work) that make it worth sending tasks to another process


@dataclass(frozen=True)
class RoundReport:
    """The measurements of one round.

    ``accuracy`` (0-1) and ``loss`` (nats) are those of the server's network on test data. ``clients`` took part;
    ``accuracies`` (0-1) are those of their networks after local training, on all test data, and ``gates`` their mean
    gates (0-1), empty if none were trained. ``drift`` is the mean of |y_i - x| / |x|, and ``spread`` the mean Jeffreys
    divergence (nats) between a layer's scope and the fused one; both are over honest clients, and NaN if none of them
    took part.
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
    """The server of one run. Each round, counted from 1: get its ``tasks``, do them, and ``take`` the answers."""

    def __init__(self, federation: Federation, run: FederatedRun) -> None:
        self.federation, self.run = federation.for_run(run), run
        self.scene = scene_of(self.federation)
        self.algorithm = find_algorithm(run.algorithm)
        self.settings = parse(self.algorithm.settings, run.settings, f"settings of {self.algorithm.title}")
        self.network = self.scene.new_network().eval()
        self.memory: Memory = {}
        self.scopes: dict[int, Scope] = {}  # the latest scope of each client that was ever accepted
        self.shares: dict[int, float] = {}  # the weight of each of them in the fused scope
        self.fused = scope_of(self.network).detach()
        self.round = 0

    def tasks(self) -> list[ClientTask]:
        """Return the tasks of the clients that take part in the next round."""
        state = state_of(self.network)
        scope = (self.fused.layers, self.fused.mu.numpy(), self.fused.sigma.numpy()) if self.run.scope else None
        return [self._task(client, state, scope) for client in participants(self.federation, self.round + 1)]

    def _task(self, client: int, state: State, scope: Any) -> ClientTask:
        terms = self.algorithm.terms(self.memory, client, self.settings)
        linear = None if terms.linear is None else terms.linear.numpy()
        return ClientTask(self.federation, self.round + 1, client, state, linear, terms.quadratic, scope)

    def take(self, updates: Sequence[ClientUpdate], should_stop: Callable[[], bool] | None = None) -> RoundReport:
        """Merge what the clients sent, end the round, and return its report."""
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
        """Let the algorithm turn the merged weights into the server's new weights; ignore them if not finite."""
        assert merged.network is not None
        settings = self.federation.settings
        accepted = {client: weights_of(sent[client]) for client in merged.accepted}
        end = Round(start, accepted, steps, weights_of(merged.network), settings.clients, settings.learning_rate)
        weights = self.algorithm.finish(end, self.memory, self.settings)
        if bool(torch.isfinite(weights).all()):
            self.network = merged.network
            nn.utils.vector_to_parameters(weights, self.network.parameters())
            if not torch.equal(weights, end.merged):
                reestimate_batchnorm(self.network, self.scene.server.train_inputs)

    def _fuse(self, merged: Aggregate, sent: Mapping[int, nn.Module], samples: Mapping[int, int]) -> None:
        """Fuse the scopes of each client's latest accepted network, weighted by its samples and its gate."""
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
        """Return everything needed to go on from here, as tensors and plain values."""
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
        """Put the server back to a ``state`` it had before."""
        layers = self.fused.layers
        self.round, self.memory, self.shares = state["round"], dict(state["memory"]), dict(state["shares"])
        self.network.load_state_dict(state["network"])
        self.scopes = {client: Scope(layers, *pair) for client, pair in state["scopes"].items()}
        self.fused = Scope(layers, *state["fused"])


def _mean(values: Iterable[float]) -> float:
    """Return the mean of ``values``, or NaN if there are none."""
    found = list(values)
    return sum(found) / len(found) if found else float("nan")


def bundles(tasks: Sequence[ClientTask]) -> list[list[ClientTask]]:
    """Split the tasks, in order, into bundles of about BUNDLE local steps; results do not depend on the split."""
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
    """Return the state of all servers at the end of a round, with the plain values ``extra``, as bytes."""
    buffer = io.BytesIO()
    torch.save({"servers": {server.run.key: server.state() for server in servers}, "extra": dict(extra)}, buffer)
    return buffer.getvalue()


def load(servers: Sequence[Server], snapshot: bytes) -> dict[str, Any]:
    """Put the servers back to a state kept by ``save`` and return its ``extra``; raises RunError for damaged bytes."""
    try:
        plain = torch.load(io.BytesIO(snapshot), weights_only=True)
        for server in servers:
            server.restore(plain["servers"][server.run.key])
        return dict(plain["extra"])
    except Exception as error:  # what torch.load raises depends on where the damage is
        raise RunError(f"the snapshot is damaged: {error}") from error


def federate(federation: Federation, run: FederatedRun) -> Iterator[tuple[Server, RoundReport]]:
    """Run one run in this process; yield its server (always the same object) and the report of each round."""
    server = Server(federation, run)
    for _ in range(federation.settings.rounds):
        yield server, server.take(train_clients(server.tasks()))
