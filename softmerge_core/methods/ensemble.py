"""The ensemble: all sources side by side. It is no merge, but a reference for merges."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.settings import Settings

if TYPE_CHECKING:
    from torch import nn


class EnsembleSettings(Settings):
    """The ensemble has no settings."""


def merge(material: Material, settings: EnsembleSettings) -> "nn.Module":
    """Return a network that computes ``log(sum_k softmax(f_k(x)) / K)`` by K forward passes."""
    from softmerge_core.methods.modules.together import Together

    return Together(material.sources)


METHOD = Method(
    name="ensemble",
    title="Ensemble",
    summary="The mean of all sources' predicted probabilities: K networks, not one.",
    paper="Hansen, Salamon 1990, doi 10.1109/34.58871",
    needs=frozenset(),
    settings=EnsembleSettings,
    merge=merge,
    across="architectures",
    idempotent=False,  # K networks, whose logits are log-probabilities
    reference=True,
)
