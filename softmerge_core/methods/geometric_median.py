"""Geometric median: the point with the smallest sum of distances to the sources."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn


class GeometricMedianSettings(Settings):
    """The settings of Weiszfeld's algorithm."""

    iterations: int = setting(200, "Iterations", "The most steps of Weiszfeld's algorithm to do.", ge=1, le=100_000)
    tolerance: float = setting(
        1e-6, "Tolerance", "Stop when a step is this small relative to the sources' spread.", ge=0, le=1, more=True
    )


def merge(material: Material, settings: GeometricMedianSettings) -> "nn.Module":
    """Return ``argmin_m sum_k |m - theta_k|``, with all weights of a source as one vector."""
    flat = material.flat()
    return material.network(flat, weiszfeld(flat.theta, settings.iterations, settings.tolerance))


def weiszfeld(theta: "Tensor", iterations: int, tolerance: float) -> "Tensor":
    """Return the result of Weiszfeld's algorithm, started from the mean.

    Each step is ``m <- sum_k w_k theta_k / sum_k w_k`` with ``w_k = 1 / max(|m - theta_k|, nu)``, where ``nu`` is the
    small smoothing term of Pillutla et al., in units of the sources' spread.
    """
    median = theta.mean(0)
    spread = float((theta - median).norm(dim=1).median())
    for _ in range(iterations if spread > 0 else 0):
        weights = 1 / (theta - median).norm(dim=1).clamp(min=1e-6 * spread)
        previous, median = median, (weights / weights.sum()) @ theta
        if float((median - previous).norm()) <= tolerance * spread:
            break
    return median


METHOD = Method(
    name="geometric_median",
    title="Geometric median",
    short="Geo. median",
    summary="The point in weight space with the smallest sum of distances to all sources.",
    paper="Weiszfeld 1937; Pillutla, Kakade, Harchaoui 2019, arXiv 1912.13445",
    needs=frozenset(),
    settings=GeometricMedianSettings,
    merge=merge,
)
