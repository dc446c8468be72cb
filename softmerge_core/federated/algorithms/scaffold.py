"""SCAFFOLD: control variates correct each client's gradient for how it differs from the average client's."""

from typing import TYPE_CHECKING

from softmerge_core.federated.algorithms.base import Algorithm, Memory, Round, Terms
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor

SERVER = "server"


class ScaffoldSettings(Settings):
    """The settings of SCAFFOLD."""

    control: float = setting(
        1.0, "Control", "SCAFFOLD: the share of the correction that clients apply; 0 is FedAvg.", ge=0, le=1
    )


def terms(memory: Memory, client: int, settings: ScaffoldSettings) -> Terms:
    """Return ``<c - c_i, theta>``, whose gradient is the correction of each step (algorithm 1, line 10)."""
    if SERVER not in memory:
        return Terms()
    server = memory[SERVER]
    own = memory.get(str(client), server.new_zeros(server.shape))
    return Terms(linear=settings.control * (server - own))


def finish(end: Round, memory: Memory, settings: ScaffoldSettings) -> "Tensor":
    """Return the merged weights unchanged.

    The memory is updated by ``c_i+ = c_i - c + (x - y_i) / (K lr)`` (option II) and ``c += sum of (c_i+ - c_i) / N``.
    (x - y_i) / (K lr) is the mean gradient along the client's path if it took K steps of plain SGD, and not if it
    used momentum or Adam.
    """
    zero = end.start.new_zeros(end.start.shape)
    server = memory.get(SERVER, zero)
    change = zero
    for client, weights in end.sent.items():
        if end.steps[client] == 0:  # training stopped at once: the first loss was not finite
            continue
        own = memory.get(str(client), zero)
        memory[str(client)] = own - server + (end.start - weights) / (end.steps[client] * end.learning_rate)
        change = change + (memory[str(client)] - own)
    memory[SERVER] = server + change / end.clients
    return end.merged


ALGORITHM = Algorithm(
    name="scaffold",
    title="SCAFFOLD",
    summary="FedAvg in which clients correct each step by how much their gradient differs from the average client's.",
    paper="Karimireddy et al. 2020, arXiv 1910.06378",
    year=2019,
    settings=ScaffoldSettings,
    terms=terms,
    finish=finish,
)
