"""DARE: drops most of each task vector at random, scales up the rest, then merges the task vectors as usual."""

from typing import TYPE_CHECKING, Literal

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import task_vectors
from softmerge_core.methods.ties import elect, trim
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class DareSettings(Settings):
    """The settings of dropping entries and of merging the rest."""

    drop: float = setting(
        0.1,
        "Drop",
        "The share of each task vector's entries dropped at random; .9 suits sources close to the base.",
        ge=0,
        lt=1,
    )
    then: Literal["sum", "ties"] = setting(
        "sum", "Then", "Add the task vectors (task arithmetic), or trim them and elect signs (TIES)."
    )
    scale: float = setting(0.3, "Scale", "Lambda: the factor on each task vector in a sum.", ge=0, le=2)
    ties_scale: float = setting(
        0.7, "TIES scale", "With TIES: the factor on the merged task vector.", ge=0, le=5, more=True
    )
    density: float = setting(
        0.5, "Density", "With TIES: the share of each task vector that is kept.", gt=0, le=1, more=True
    )


def merge(material: Material, settings: DareSettings) -> "nn.Module":
    """Return ``B + lambda sum_k dropped(tau_k)``, or with TIES ``B + lambda elect(trim(dropped(tau)))``."""
    flat = material.flat()
    base, tau = task_vectors(material, flat)
    sparse = drop(tau, settings.drop, material.generator)
    if settings.then == "ties":
        return material.network(flat, base + settings.ties_scale * elect(trim(sparse, settings.density)))
    return material.network(flat, base + settings.scale * sparse.sum(0))


def drop(tau: "Tensor", share: float, generator: "torch.Generator") -> "Tensor":
    """Zero each entry with probability ``share`` and divide the rest by ``1 - share``, which keeps the expectation."""
    import torch

    kept = torch.rand(tau.shape, generator=generator, dtype=tau.dtype) >= share
    return tau * kept / (1 - share)


METHOD = Method(
    name="dare",
    title="DARE",
    summary="Drops a random share of what each source has learned since the base model and scales up the rest.",
    paper="Yu et al. 2023, arXiv 2311.03099",
    needs=frozenset({"base"}),
    settings=DareSettings,
    merge=merge,
    ordered=True,  # the random entries depend on a source's place in the order
    idempotent=False,
    random=True,
)
