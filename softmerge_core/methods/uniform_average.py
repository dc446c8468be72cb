"""Uniform average: the mean of all weights."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.settings import Settings

if TYPE_CHECKING:
    from torch import nn


class UniformAverageSettings(Settings):
    """The plain average has no settings."""


def merge(material: Material, settings: UniformAverageSettings) -> "nn.Module":
    """Return ``sum_k theta_k / K``."""
    from softmerge_core.flat import plain_average

    return plain_average(material.sources, material.batchnorm_inputs)


METHOD = Method(
    name="average",
    title="Plain average",
    short="Average",
    summary="The mean of all sources' weights.",
    paper="Utans 1996; Izmailov et al. 2018, arXiv 1803.05407",
    needs=frozenset(),
    settings=UniformAverageSettings,
    merge=merge,
)
