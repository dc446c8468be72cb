"""Krum: the source that lies closest to its nearest neighbours; multi-Krum averages several of them."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn

TIE = 1e-6  # scores that differ by less, relatively, are equal but for rounding


class KrumSettings(Settings):
    """How many sources are distrusted and how many are kept."""

    malicious: int = setting(1, "Malicious", "f: how many sources may be malicious.", ge=0, le=1000)
    keep: int = setting(1, "Keep", "m: how many of the best-placed sources are averaged; 1 is Krum.", ge=1, le=1000)


def merge(material: Material, settings: KrumSettings) -> "nn.Module":
    """Mean of the ``m`` sources with the lowest scores, and of those that tie with the last of them.

    With few sources ties are the rule (the two that are nearest to each other have one score), and no order of
    sources should decide.
    """
    flat = material.flat()
    found = scores(flat.theta, settings.malicious)
    last = found.sort().values[min(settings.keep, len(found)) - 1]
    return material.network(flat, flat.theta[found <= last * (1 + TIE)].mean(0))


def scores(theta: "Tensor", malicious: int) -> "Tensor":
    """[K]: ``s_k = sum of |theta_k - theta_j|^2`` over the K - f - 2 nearest others (at least one)."""
    import torch

    squared = torch.stack([(theta - source).pow(2).sum(1) for source in theta])
    neighbours = max(1, len(theta) - malicious - 2)
    return squared.sort(1).values[:, 1 : neighbours + 1].sum(1)  # the nearest of all is the source itself


METHOD = Method(
    name="krum",
    title="Krum",
    summary="The source, or the few sources, closest to their nearest neighbours in weight space.",
    paper="Blanchard et al. 2017, arXiv 1703.02757",
    needs=frozenset(),
    settings=KrumSettings,
    merge=merge,
)
