"""FedDyn: each client's loss is bent round by round, so that where all rest, the common loss rests too."""

from typing import TYPE_CHECKING

from softmerge_core.federated.base import Algorithm, Memory, Round, Terms
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor

SERVER = "server"


class FedDynSettings(Settings):
    """How strongly losses are bent."""

    alpha: float = setting(
        0.03, "Alpha", "FedDyn: how strongly each client's loss is bent toward the others'; 0 is FedAvg.", ge=0, le=1e3
    )


def terms(memory: Memory, client: int, settings: FedDynSettings) -> Terms:
    """``-<g_i, theta> + alpha / 2 |theta - x|^2`` (eq. 1), with g_i the client's gradient at its last weights."""
    gradient = memory.get(str(client))
    return Terms(None if gradient is None else -gradient, settings.alpha)


def finish(end: Round, memory: Memory, settings: FedDynSettings) -> "Tensor":
    """``g_i -= alpha (y_i - x)``, ``h -= alpha / N sum of (y_i - x)``; the merged weights minus ``h / alpha``.

    With alpha = 0 all g_i and h stay zero, and ``h / alpha`` counts as zero: FedAvg.
    """
    import torch

    zero = torch.zeros_like(end.start)
    moved = zero
    for client, weights in end.sent.items():
        memory[str(client)] = memory.get(str(client), zero) - settings.alpha * (weights - end.start)
        moved = moved + (weights - end.start)
    memory[SERVER] = memory.get(SERVER, zero) - settings.alpha / end.clients * moved
    return end.merged - memory[SERVER] / settings.alpha if settings.alpha else end.merged


ALGORITHM = Algorithm(
    name="feddyn",
    title="FedDyn",
    summary="FedAvg whose clients' losses are bent toward the common one, with a memory on the server.",
    paper="Acar et al. 2021, arXiv 2111.04263",
    year=2021,
    settings=FedDynSettings,
    terms=terms,
    finish=finish,
)
