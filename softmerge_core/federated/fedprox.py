"""FedProx: clients are held near the server's weights by a proximal term."""

from softmerge_core.federated.base import Algorithm, Memory, Terms
from softmerge_core.federated.fedavg import finish
from softmerge_core.settings import Settings, setting


class FedProxSettings(Settings):
    """How strongly clients are held."""

    mu: float = setting(
        0.01, "Mu", "FedProx: how strongly clients are held near the server; 0 is FedAvg.", ge=0, le=1e3
    )


def terms(memory: Memory, client: int, settings: FedProxSettings) -> Terms:
    """``mu / 2 |theta - x|^2`` (eq. 2)."""
    return Terms(quadratic=settings.mu)


ALGORITHM = Algorithm(
    name="fedprox",
    title="FedProx",
    summary="FedAvg with a pull of each client toward the server's weights.",
    paper="Li et al. 2020, arXiv 1812.06127",
    year=2018,
    settings=FedProxSettings,
    terms=terms,
    finish=finish,
)
