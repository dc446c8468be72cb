"""Krum: the source that is closest to its nearest neighbours; multi-Krum averages several such sources."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn

TIE = 1e-6  # scores with a smaller relative difference differ only by rounding


class KrumSettings(Settings):
    """The number of sources to distrust and to keep."""

    malicious: int = setting(1, "Malicious", "f: the number of sources that may be malicious.", ge=0, le=1000)
    keep: int = setting(
        1, "Keep", "m: the number of sources with the best scores that are averaged; 1 is Krum.", ge=1, le=1000
    )


def merge(material: Material, settings: KrumSettings) -> "nn.Module":
    """Return the mean of the ``m`` sources with the lowest scores, and of those that tie with the last of them.

    With few sources ties are common (the two that are nearest to each other have equal scores), and the order of the
    sources must not decide.
    """
    flat = material.flat()
    found = scores(flat.theta, settings.malicious)
    last = found.sort().values[min(settings.keep, len(found)) - 1]
    return material.network(flat, flat.theta[found <= last * (1 + TIE)].mean(0))


def scores(theta: "Tensor", malicious: int) -> "Tensor":
    """Return [K]: ``s_k = sum of |theta_k - theta_j|^2`` over the K - f - 2 nearest other sources (at least one)."""
    import torch

    squared = torch.stack([(theta - source).pow(2).sum(1) for source in theta])
    neighbours = max(1, len(theta) - malicious - 2)
    return squared.sort(1).values[:, 1 : neighbours + 1].sum(1)  # the nearest of all is the source itself


METHOD = Method(
    name="krum",
    title="Krum",
    summary="The source, or the mean of the few sources, closest to their nearest neighbours in weight space.",
    paper="Blanchard et al. 2017, arXiv 1703.02757",
    needs=frozenset(),
    settings=KrumSettings,
    merge=merge,
)
