"""What every process knows of a federation: the data, the clients' shards, the server's own samples, first weights."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from softmerge_core.data.partitions import shards
from softmerge_core.errors import SettingsError
from softmerge_core.federated.settings import Federation

if TYPE_CHECKING:
    from torch import Tensor, nn

    from softmerge_core.data import Data
    from softmerge_core.data.base import MergeData

SERVER, PARTICIPANTS, TRAINING = 1, 2, 3  # streams of random numbers

State = dict[str, np.ndarray]  # a network's state dict, plain, so that it can be sent to another process


def draw_seed(*numbers: int) -> int:
    """One seed from several numbers, 0 to 2**31 - 1."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)


def deal(labels: np.ndarray, federation: Federation) -> tuple[np.ndarray, list[np.ndarray]]:
    """(the server's samples, every client's) as positions in ``labels`` [N]; no sample twice, none left over.

    Raises SettingsError where the shards cannot be dealt.
    """
    settings = federation.settings
    if settings.server_samples >= len(labels):
        raise SettingsError(
            f"server_samples: expected fewer than the {len(labels)} training samples, got {settings.server_samples}"
        )
    order = np.random.default_rng(draw_seed(settings.seed, SERVER)).permutation(len(labels))
    server, rest = order[: settings.server_samples], np.sort(order[settings.server_samples :])
    parts = shards(labels[rest], settings.clients, federation.shards, settings.seed)
    return server, [rest[part] for part in parts]


def participants(federation: Federation, number: int) -> tuple[int, ...]:
    """The clients of round ``number``, in order; the same for everything that is overlaid."""
    settings = federation.settings
    generator = np.random.default_rng(draw_seed(settings.seed, PARTICIPANTS, number))
    count = round(settings.participation * settings.clients)
    return tuple(sorted(map(int, generator.choice(settings.clients, count, replace=False))))


def is_malicious(federation: Federation, client: int) -> bool:
    """The last clients are."""
    return client >= federation.settings.clients - federation.settings.malicious


@dataclass(frozen=True)
class Scene:
    """``data`` as loaded; ``server``: samples of the server alone; ``clients``: positions in the training data."""

    federation: Federation
    data: "Data"
    server: "MergeData"
    clients: tuple[np.ndarray, ...]

    def shard(self, client: int) -> "tuple[Tensor, Tensor]":
        """Inputs [n, ...] and labels [n] of a client."""
        import torch

        chosen = torch.from_numpy(self.clients[client])
        return self.data.train_inputs[chosen], self.data.train_labels[chosen]

    def new_network(self) -> "nn.Module":
        """The first weights, drawn from the federation's seed."""
        from softmerge_core.networks import build_network

        data, settings = self.data, self.federation.settings
        return build_network(self.federation.network, data.input_shape, data.classes, settings.seed)

    def network(self, state: Mapping[str, np.ndarray]) -> "nn.Module":
        """A network with these weights."""
        import torch

        network = self.new_network()
        network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in state.items()})
        return network


def state_of(network: "nn.Module") -> State:
    """A copy of a network's state dict as plain arrays."""
    return {name: value.detach().numpy().copy() for name, value in network.state_dict().items()}


def scene_of(federation: Federation) -> Scene:
    """The scene of a federation; made once a process."""
    return _scene(federation.model_dump_json())


@lru_cache(maxsize=4)
def _scene(text: str) -> Scene:
    import torch

    from softmerge_core.data import load_data
    from softmerge_core.data.base import MergeData

    federation = Federation.model_validate_json(text)
    data = load_data(federation.data)
    server, clients = deal(data.train_labels.numpy(), federation)
    chosen = torch.from_numpy(server)
    train, judge = chosen[: len(chosen) // 2], chosen[len(chosen) // 2 :]
    own = MergeData(
        data.train_inputs[train], data.train_labels[train], data.train_inputs[judge], data.train_labels[judge]
    )
    return Scene(federation, data, own, tuple(clients))
