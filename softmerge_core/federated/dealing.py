"""The random choices that every process of a federation must agree on: samples, participants, who is malicious.

They are drawn with numpy from the seed alone, so a page can show the shards before anything runs. Loads no torch.
"""

import numpy as np

from softmerge_core.data.partitions import shards
from softmerge_core.errors import SettingsError
from softmerge_core.federated.settings import Federation

SERVER, PARTICIPANTS, TRAINING = 1, 2, 3  # streams of random numbers


def draw_seed(*numbers: int) -> int:
    """Return one seed, 0 to 2**31 - 1, made from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0] >> 1)


def deal(labels: np.ndarray, federation: Federation) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return the server's samples and those of every client, as positions in ``labels`` [N].

    Each sample goes to exactly one of them. Raises SettingsError when the shards cannot be dealt.
    """
    settings = federation.settings
    if settings.server_samples >= len(labels):
        raise SettingsError(
            f"Server samples: expected fewer than the {len(labels)} training samples, got {settings.server_samples}"
        )
    order = np.random.default_rng(draw_seed(settings.seed, SERVER)).permutation(len(labels))
    server, rest = order[: settings.server_samples], np.sort(order[settings.server_samples :])
    parts = shards(labels[rest], settings.clients, federation.shards, settings.seed)
    return server, [rest[part] for part in parts]


def participants(federation: Federation, number: int) -> tuple[int, ...]:
    """Return the clients that take part in round ``number``, in order; they are the same for all overlaid runs."""
    settings = federation.settings
    generator = np.random.default_rng(draw_seed(settings.seed, PARTICIPANTS, number))
    count = round(settings.participation * settings.clients)
    return tuple(sorted(map(int, generator.choice(settings.clients, count, replace=False))))


def is_malicious(federation: Federation, client: int) -> bool:
    """Tell whether ``client`` is malicious: the clients with the highest numbers are."""
    return client >= federation.settings.clients - federation.settings.malicious
