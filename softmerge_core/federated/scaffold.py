"""SCAFFOLD: control variates take out of each client's gradient what is its own and not everybody's."""

from typing import TYPE_CHECKING

from softmerge_core.federated.base import Algorithm, Memory, Round, Terms
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor

SERVER = "server"


class ScaffoldSettings(Settings):
    """How much of the correction is applied."""

    control: float = setting(
        1.0, "Control", "SCAFFOLD: share of the correction that clients apply; 0 is FedAvg.", ge=0, le=1
    )


def terms(memory: Memory, client: int, settings: ScaffoldSettings) -> Terms:
    """``<c - c_i, theta>``, whose gradient is the correction of each step (algorithm 1, line 10)."""
    if SERVER not in memory:
        return Terms()
    import torch

    server = memory[SERVER]
    own = memory.get(str(client), torch.zeros_like(server))
    return Terms(linear=settings.control * (server - own))


def finish(end: Round, memory: Memory, settings: ScaffoldSettings) -> "Tensor":
    """``c_i+ = c_i - c + (x - y_i) / (K lr)`` (option II), ``c += sum of (c_i+ - c_i) / N``; the merged weights stay.

    (x - y_i) / (K lr) is the mean gradient along the client's path where it took K plain SGD steps: with momentum or
    Adam it is not.
    """
    import torch

    zero = torch.zeros_like(end.start)
    server = memory.get(SERVER, zero)
    change = zero
    for client, weights in end.sent.items():
        if end.steps[client] == 0:  # its first loss was not finite
            continue
        own = memory.get(str(client), zero)
        memory[str(client)] = own - server + (end.start - weights) / (end.steps[client] * end.learning_rate)
        change = change + (memory[str(client)] - own)
    memory[SERVER] = server + change / end.clients
    return end.merged


ALGORITHM = Algorithm(
    name="scaffold",
    title="SCAFFOLD",
    summary="FedAvg whose clients correct every step by how their gradient differs from everybody's.",
    paper="Karimireddy et al. 2020, arXiv 1910.06378",
    year=2019,
    settings=ScaffoldSettings,
    terms=terms,
    finish=finish,
)
