"""Weighted average: sources with a lower validation loss have a larger weight."""

from typing import TYPE_CHECKING

from softmerge_core.errors import SettingsError
from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import judge_sources
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn


class WeightedAverageSettings(Settings):
    """The settings from which the sources' weights follow."""

    temperature: float = setting(
        0.3,
        "Temperature",
        "The difference in loss, in nats, at which a source has 1/e of the best source's weight.",
        gt=0,
        le=100,
    )
    weights: tuple[float, ...] = setting(
        (),
        "Weights",
        "One weight for each source, in order; if empty, weights follow from the validation loss.",
        more=True,
    )


def merge(material: Material, settings: WeightedAverageSettings) -> "nn.Module":
    """Return ``sum_k w_k theta_k`` with ``sum_k w_k = 1``."""
    flat = material.flat()
    weights = _named(settings.weights, material) if settings.weights else _by_loss(material, settings.temperature)
    return material.network(flat, weights.to(flat.theta) @ flat.theta)


def _by_loss(material: Material, temperature: float) -> "Tensor":
    """Return ``w_k = exp(-loss_k / temperature) / sum_j exp(-loss_j / temperature)``; infinite losses get weight 0."""
    import torch

    losses = torch.tensor([loss for _, loss in judge_sources(material)], dtype=torch.float64)
    return (
        torch.softmax(-losses / temperature, 0) if losses.isfinite().any() else torch.full_like(losses, 1 / len(losses))
    )


def _named(weights: tuple[float, ...], material: Material) -> "Tensor":
    import torch

    if len(weights) != len(material.sources) or min(weights) < 0 or sum(weights) <= 0:
        raise SettingsError(
            f"weights: expected {len(material.sources)} numbers of at least 0, not all 0, got {list(weights)}"
        )
    return torch.tensor(weights, dtype=torch.float64) / sum(weights)


METHOD = Method(
    name="weighted_average",
    title="Weighted average",
    short="Weighted",
    summary="The mean of all sources' weights, in which sources with a lower validation loss count more.",
    paper="",
    needs=frozenset({"inputs", "labels"}),
    settings=WeightedAverageSettings,
    merge=merge,
)
