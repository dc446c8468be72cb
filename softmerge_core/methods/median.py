"""Coordinate median: the median of each weight by itself, which fewer than half of the sources cannot move far."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.settings import Settings

if TYPE_CHECKING:
    from torch import nn


class MedianSettings(Settings):
    """The median has no settings."""


def merge(material: Material, settings: MedianSettings) -> "nn.Module":
    """Return ``median_k theta_k[p]``: the middle value, or the mean of the two middle values."""
    flat = material.flat()
    values, count = flat.theta.sort(0).values, len(flat.theta)
    return material.network(flat, (values[(count - 1) // 2] + values[count // 2]) / 2)


METHOD = Method(
    name="median",
    title="Coordinate median",
    short="Median",
    summary="The median of the sources' values, taken for each weight separately.",
    paper="Yin et al. 2018, arXiv 1803.01498",
    needs=frozenset(),
    settings=MedianSettings,
    merge=merge,
)
