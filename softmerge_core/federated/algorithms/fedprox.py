"""FedProx: a proximal term holds clients near the server's weights."""

from softmerge_core.federated.algorithms.base import Algorithm, Memory, Terms
from softmerge_core.federated.algorithms.fedavg import finish
from softmerge_core.settings import Settings, setting


class FedProxSettings(Settings):
    """The settings of FedProx."""

    mu: float = setting(
        0.01, "Mu", "FedProx: how strongly clients are held near the server's weights; 0 is FedAvg.", ge=0, le=1e3
    )


def terms(memory: Memory, client: int, settings: FedProxSettings) -> Terms:
    """Return the proximal term ``mu / 2 |theta - x|^2`` (eq. 2)."""
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
