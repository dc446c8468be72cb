"""Task arithmetic: adds to the base model what every source has learned since."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import task_vectors
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import nn


class TaskArithmeticSettings(Settings):
    """The factor on task vectors."""

    scale: float = setting(
        0.3, "Scale", "Lambda: the factor on each task vector; 1/K gives the plain average.", ge=-2, le=2
    )


def merge(material: Material, settings: TaskArithmeticSettings) -> "nn.Module":
    """Return ``B + lambda sum_k (theta_k - B)``."""
    flat = material.flat()
    base, tau = task_vectors(material, flat)
    return material.network(flat, base + settings.scale * tau.sum(0))


METHOD = Method(
    name="task_arithmetic",
    title="Task arithmetic",
    summary="Adds to the base model a fraction of what each source has learned since.",
    paper="Ilharco et al. 2022, arXiv 2212.04089",
    needs=frozenset({"base"}),
    settings=TaskArithmeticSettings,
    merge=merge,
    idempotent=False,  # K equal task vectors add up to K lambda times one of them
)
