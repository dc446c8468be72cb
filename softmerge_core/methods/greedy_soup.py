"""Greedy soup: adds sources to the average, best first, as long as validation accuracy does not fall."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import judge, judge_sources
from softmerge_core.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor, nn

    from softmerge_core.flat import FlatSources
    from softmerge_core.merging.candidates import Judge


class GreedySoupSettings(Settings):
    """Greedy soup has no settings."""


def merge(material: Material, settings: GreedySoupSettings) -> "nn.Module":
    """Follow recipe 1 of the paper; sources of equal accuracy are ordered by their loss."""
    flat, scores = material.flat(), judge_sources(material)
    order = sorted(range(len(scores)), key=lambda k: (-scores[k][0], scores[k][1]))
    judged = judge(material)
    chosen = [order[0]]
    best = _accuracy(flat, judged, chosen)
    for k in order[1:]:
        if material.should_stop():
            break
        accuracy = _accuracy(flat, judged, [*chosen, k])
        if accuracy >= best:
            chosen, best = [*chosen, k], accuracy
    return material.network(flat, _soup(flat, chosen))


def _soup(flat: "FlatSources", chosen: list[int]) -> "Tensor":
    return flat.theta[chosen].mean(0)


def _accuracy(flat: "FlatSources", judged: "Judge", chosen: list[int]) -> float:
    flat.merged.copy_(_soup(flat, chosen))
    return judged.merged(flat.network)[0]


METHOD = Method(
    name="greedy_soup",
    title="Greedy soup",
    summary="Adds sources to an average, best first, and keeps each that does not lower validation accuracy.",
    paper="Wortsman et al. 2022, arXiv 2203.05482",
    needs=frozenset({"inputs", "labels"}),
    settings=GreedySoupSettings,
    merge=merge,
)
