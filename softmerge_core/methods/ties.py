"""TIES: trim each task vector, elect a sign per weight, and average only what agrees with it."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import task_vectors
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn


class TiesSettings(Settings):
    """How much is kept and how strongly it counts."""

    density: float = setting(0.7, "Density", "Share of each task vector that is kept: its largest entries.", gt=0, le=1)
    scale: float = setting(0.7, "Scale", "Lambda: what the merged task vector is multiplied by.", ge=0, le=5)


def merge(material: Material, settings: TiesSettings) -> "nn.Module":
    """``B + lambda elect(trim(tau))``."""
    flat = material.flat()
    base, tau = task_vectors(material, flat)
    return material.network(flat, base + settings.scale * elect(trim(tau, settings.density)))


def trim(tau: "Tensor", density: float) -> "Tensor":
    """Task vectors [K, P], all but the ``density`` largest entries of each set to 0."""
    import torch

    size = tau.shape[1]
    kept = max(1, round(density * size))
    smallest = tau.abs().kthvalue(size - kept + 1, dim=1, keepdim=True).values
    return torch.where(tau.abs() >= smallest, tau, torch.zeros_like(tau))


def elect(tau: "Tensor") -> "Tensor":
    """[P]: per entry the sign of ``sum_k tau_k``, then the mean of the entries that are not 0 and have that sign."""
    agrees = tau * tau.sum(0).sign() > 0
    return (tau * agrees).sum(0) / agrees.sum(0).clamp(min=1)


METHOD = Method(
    name="ties",
    title="TIES",
    summary="Keeps the largest changes since the base model, elects a sign for each weight, averages what agrees.",
    paper="Yadav et al. 2023, arXiv 2306.01708",
    needs=frozenset({"base"}),
    settings=TiesSettings,
    merge=merge,
    idempotent=False,  # trimming takes from a single source too
)
