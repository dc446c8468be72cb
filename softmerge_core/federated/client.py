"""One client's part of a round: train on its own shard from the server's weights, and send the result.

Tasks and updates are plain values, because a client may train in another process.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from softmerge_core.attacks import find_attack
from softmerge_core.evaluation import evaluate
from softmerge_core.federated.dealing import TRAINING, draw_seed, is_malicious
from softmerge_core.federated.scene import Scene, State, scene_of, state_of
from softmerge_core.federated.settings import Federation
from softmerge_core.landscape import weights_of
from softmerge_core.scope.measure import Scope, ScopePenalty
from softmerge_core.settings import AttackSettings, TrainSettings
from softmerge_core.training import train
from softmerge_core.zoo.spoiling import spoil_network


@dataclass(frozen=True)
class ClientTask:
    """The server's message to one client.

    ``state`` holds the server's weights x; ``linear`` h [P] and ``quadratic`` q are the algorithm's terms; ``scope``
    is the fused scope: the names of its layers, mu [L] and sigma [L].
    """

    federation: Federation
    round: int
    client: int
    state: State
    linear: np.ndarray | None = None
    quadratic: float = 0.0
    scope: tuple[tuple[str, ...], np.ndarray, np.ndarray] | None = None


@dataclass(frozen=True)
class ClientUpdate:
    """A client's answer after ``steps`` local steps on its ``samples`` samples.

    ``accuracy`` (0-1) is that of the trained network on all test data; it is measured before a malicious client
    spoils the weights it sends in ``state``.
    """

    client: int
    state: State
    steps: int
    samples: int
    accuracy: float


class Pull:
    """The whole term added to a client's loss: ``<h, theta> + q/2 |theta - x|^2`` plus the scope's penalty."""

    def __init__(self, linear: Tensor | None, quadratic: float, center: Tensor, scope: ScopePenalty | None) -> None:
        self.linear, self.quadratic, self.center, self.scope = linear, quadratic, center, scope

    def __call__(self, network: nn.Module) -> Tensor:
        """Return the term for the weights of ``network``, as a scalar."""
        total = torch.zeros(())
        if self.linear is not None or self.quadratic:
            theta = nn.utils.parameters_to_vector(network.parameters())
            if self.linear is not None:
                total = total + self.linear @ theta
            if self.quadratic:
                total = total + self.quadratic / 2 * (theta - self.center).pow(2).sum()
        return total + self.scope(network) if self.scope else total


def train_clients(tasks: Sequence[ClientTask]) -> list[ClientUpdate]:
    """Do the tasks of one bundle, one after the other."""
    return [train_client(task) for task in tasks]


def train_client(task: ClientTask) -> ClientUpdate:
    """Train by SGD from the server's weights; all randomness follows from the seed, the round and the client."""
    scene = scene_of(task.federation)
    network = scene.network(task.state)
    inputs, labels = scene.shard(task.client)
    settings = train_settings(task)
    done = train(network, inputs, labels, settings, classes=scene.data.classes, penalty=penalty_of(task, network))
    accuracy = evaluate(network, *scene.data.split("test"))[0]
    sent = _spoiled(network, task, scene) if is_malicious(task.federation, task.client) else network
    return ClientUpdate(task.client, state_of(sent), done.steps, len(labels), accuracy)


def train_settings(task: ClientTask) -> TrainSettings:
    """Return the settings of the client's training in this round."""
    settings = task.federation.settings
    return TrainSettings(
        epochs=settings.local_epochs,
        learning_rate=settings.learning_rate,
        optimiser="sgd",
        momentum=settings.momentum,
        batch_size=settings.batch_size,
        seed=draw_seed(settings.seed, TRAINING, task.round, task.client),
    )


def penalty_of(task: ClientTask, network: nn.Module) -> Callable[[nn.Module], Tensor] | None:
    """Return the term added to the client's loss, or None if there is none."""
    if task.linear is None and not task.quadratic and task.scope is None:
        return None
    linear = None if task.linear is None else torch.from_numpy(task.linear)
    scope = None
    if task.scope is not None:
        layers, mu, sigma = task.scope
        target = Scope(layers, torch.from_numpy(mu), torch.from_numpy(sigma))
        scope = ScopePenalty(target, task.federation.settings.scope_weight)
    return Pull(linear, task.quadratic, weights_of(network), scope)


def _spoiled(network: nn.Module, task: ClientTask, scene: Scene) -> nn.Module:
    """Return the network that a malicious client sends; an attack that flips labels flips those of its own shard."""
    settings = task.federation.settings
    strength = find_attack(settings.attack).usual if settings.strength is None else settings.strength
    attack = AttackSettings(kind=settings.attack, strength=strength, seed=train_settings(task).seed)
    inputs, labels = scene.shard(task.client)
    return spoil_network(network, attack, dataclasses.replace(scene.data, train_inputs=inputs, train_labels=labels))
