"""FedAvg: clients train on their own, and the server averages their weights."""

from typing import TYPE_CHECKING

from softmerge_core.federated.algorithms.base import Algorithm, Memory, Round, Terms
from softmerge_core.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor


class FedAvgSettings(Settings):
    """FedAvg has no settings."""


def terms(memory: Memory, client: int, settings: Settings) -> Terms:
    """Return empty terms: nothing is added to the loss."""
    return Terms()


def finish(end: Round, memory: Memory, settings: Settings) -> "Tensor":
    """Return the merged weights unchanged."""
    return end.merged


ALGORITHM = Algorithm(
    name="fedavg",
    title="FedAvg",
    summary="Clients train on their own shards, and the server merges what they send.",
    paper="McMahan et al. 2017, arXiv 1602.05629",
    year=2017,
    settings=FedAvgSettings,
    terms=terms,
    finish=finish,
)
