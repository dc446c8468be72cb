"""FedDyn: dynamic regularisation of each client's loss, which makes its minimum agree with that of the common loss."""

from typing import TYPE_CHECKING

from softmerge_core.federated.algorithms.base import Algorithm, Memory, Round, Terms
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor

SERVER = "server"


class FedDynSettings(Settings):
    """The settings of FedDyn."""

    alpha: float = setting(
        0.03,
        "Alpha",
        "FedDyn: how strongly each client's loss is corrected toward the others'; 0 is FedAvg.",
        ge=0,
        le=1e3,
    )


def terms(memory: Memory, client: int, settings: FedDynSettings) -> Terms:
    """Return ``-<g_i, theta> + alpha / 2 |theta - x|^2`` (eq. 1); g_i is the client's gradient at its last weights."""
    gradient = memory.get(str(client))
    return Terms(None if gradient is None else -gradient, settings.alpha)


def finish(end: Round, memory: Memory, settings: FedDynSettings) -> "Tensor":
    """Return the merged weights minus ``h / alpha``.

    The memory is updated by ``g_i -= alpha (y_i - x)`` and ``h -= alpha / N sum of (y_i - x)``. With alpha = 0 all
    g_i and h stay zero and ``h / alpha`` counts as zero, which is FedAvg.
    """
    zero = end.start.new_zeros(end.start.shape)
    moved = zero
    for client, weights in end.sent.items():
        memory[str(client)] = memory.get(str(client), zero) - settings.alpha * (weights - end.start)
        moved = moved + (weights - end.start)
    memory[SERVER] = memory.get(SERVER, zero) - settings.alpha / end.clients * moved
    return end.merged - memory[SERVER] / settings.alpha if settings.alpha else end.merged


ALGORITHM = Algorithm(
    name="feddyn",
    title="FedDyn",
    summary="FedAvg in which each client's loss is corrected toward the common loss, from what past rounds have shown.",
    paper="Acar et al. 2021, arXiv 2111.04263",
    year=2021,
    settings=FedDynSettings,
    terms=terms,
    finish=finish,
)
