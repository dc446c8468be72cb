"""TIES: trims each task vector, elects a sign for each weight, and averages the entries that agree with it."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import task_vectors
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn


class TiesSettings(Settings):
    """The share of entries that is kept, and the factor on the merged task vector."""

    density: float = setting(
        0.7, "Density", "The share of each task vector's entries that is kept: the largest ones.", gt=0, le=1
    )
    scale: float = setting(0.7, "Scale", "Lambda: the factor on the merged task vector.", ge=0, le=5)


def merge(material: Material, settings: TiesSettings) -> "nn.Module":
    """Return ``B + lambda elect(trim(tau))``."""
    flat = material.flat()
    base, tau = task_vectors(material, flat)
    return material.network(flat, base + settings.scale * elect(trim(tau, settings.density)))


def trim(tau: "Tensor", density: float) -> "Tensor":
    """Return the task vectors [K, P] with all but the ``density`` largest entries of each set to 0."""
    import torch

    size = tau.shape[1]
    kept = max(1, round(density * size))
    smallest = tau.abs().kthvalue(size - kept + 1, dim=1, keepdim=True).values
    return torch.where(tau.abs() >= smallest, tau, torch.zeros_like(tau))


def elect(tau: "Tensor") -> "Tensor":
    """Return [P]: for each entry, the mean of the nonzero ``tau_k`` that have the sign of ``sum_k tau_k``."""
    agrees = tau * tau.sum(0).sign() > 0
    return (tau * agrees).sum(0) / agrees.sum(0).clamp(min=1)


METHOD = Method(
    name="ties",
    title="TIES",
    summary="Keeps the largest changes since the base model, elects a sign for each weight and averages what agrees.",
    paper="Yadav et al. 2023, arXiv 2306.01708",
    needs=frozenset({"base"}),
    settings=TiesSettings,
    merge=merge,
    idempotent=False,  # trimming changes even a single source
)
