"""Trimmed mean: the average of each weight without its largest and smallest values."""

import math
from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import nn


class TrimmedMeanSettings(Settings):
    """The share of sources that is left out."""

    trim: float = setting(
        0.25,
        "Trim",
        "The share of sources left out at each end, rounded up; at least one source stays.",
        ge=0,
        le=0.5,
    )


def merge(material: Material, settings: TrimmedMeanSettings) -> "nn.Module":
    """Return the mean over k of ``theta_k[p]`` without its n largest and n smallest values.

    ``n = min(ceil(trim K), (K-1) // 2)`` is rounded up, unlike in the paper, so that a quarter of three sources is one
    and not none.
    """
    flat = material.flat()
    count = len(flat.theta)
    out = min(math.ceil(settings.trim * count), (count - 1) // 2)
    return material.network(flat, flat.theta.sort(0).values[out : count - out].mean(0))


METHOD = Method(
    name="trimmed_mean",
    title="Trimmed mean",
    summary="The mean of each weight without the largest and smallest values among the sources.",
    paper="Yin et al. 2018, arXiv 1803.01498",
    needs=frozenset(),
    settings=TrimmedMeanSettings,
    merge=merge,
)
