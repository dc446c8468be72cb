"""Optimal-transport fusion: maps each source to the units of one of them, also of another width, and averages."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.settings import Settings

if TYPE_CHECKING:
    from torch import nn


class TransportSettings(Settings):
    """Optimal-transport fusion has no settings: units are compared by their weights."""


def merge(material: Material, settings: TransportSettings) -> "nn.Module":
    """Return the mean of all sources, each mapped layer by layer to the target (or else the first) at least cost."""
    from softmerge_core.alignment import fuse

    target = material.target or 0
    return fuse(material.sources, material.batchnorm_inputs, target=target, names=material.names).requires_grad_(True)


METHOD = Method(
    name="transport",
    title="Optimal transport",
    summary="Maps the units of each source to those of one of them, also between layers of other widths, and averages.",
    paper="Singh, Jaggi 2019, arXiv 1910.05653",
    needs=frozenset(),
    settings=TransportSettings,
    merge=merge,
    across="widths",
    ordered=True,  # the first is the target unless another is named
)
