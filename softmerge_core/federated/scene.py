"""The scene of a federation: its data, the clients' shards, the server's own samples and the first weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from softmerge_core.data import Data, load_data
from softmerge_core.data.base import MergeData
from softmerge_core.federated.dealing import deal
from softmerge_core.federated.settings import Federation
from softmerge_core.networks import build_network

State = dict[str, np.ndarray]  # a network's state dict as plain arrays, which can be sent to another process


@dataclass(frozen=True)
class Scene:
    """A federation with its samples.

    ``data`` is the whole data set, ``server`` the samples that only the server has, and ``clients`` the positions of
    each client's samples in the training data.
    """

    federation: Federation
    data: Data
    server: MergeData
    clients: tuple[np.ndarray, ...]

    def shard(self, client: int) -> tuple[Tensor, Tensor]:
        """Return the inputs [n, ...] and labels [n] of a client."""
        chosen = torch.from_numpy(self.clients[client])
        return self.data.train_inputs[chosen], self.data.train_labels[chosen]

    def new_network(self) -> nn.Module:
        """Return the network every run starts from, with weights drawn from the federation's seed."""
        data, settings = self.data, self.federation.settings
        return build_network(self.federation.network, data.input_shape, data.classes, settings.seed)

    def network(self, state: Mapping[str, np.ndarray]) -> nn.Module:
        """Return a network with the weights of ``state``."""
        network = self.new_network()
        network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in state.items()})
        return network


def state_of(network: nn.Module) -> State:
    """Return a copy of a network's state dict as plain arrays."""
    return {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}


def scene_of(federation: Federation) -> Scene:
    """Return the scene of a federation; each process keeps the last few it has built."""
    return _scene(federation.model_dump_json())


@lru_cache(maxsize=8)  # runs with learning rates of their own are scenes of their own
def _scene(text: str) -> Scene:
    federation = Federation.model_validate_json(text)
    data = load_data(federation.data)
    server, clients = deal(data.train_labels.numpy(), federation)
    chosen = torch.from_numpy(server)
    train, judge = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
    own = MergeData(
        data.train_inputs[train], data.train_labels[train], data.train_inputs[judge], data.train_labels[judge]
    )
    return Scene(federation, data, own, tuple(clients))
