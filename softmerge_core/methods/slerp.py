"""SLERP: interpolates along the great circle between sources instead of the straight line, tensor by tensor."""

from functools import reduce
from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import per_tensor
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn

PARALLEL = 0.9995  # above this cosine the sphere is practically flat, and sin O too small to divide by


class SlerpSettings(Settings):
    """The position between the sources."""

    t: float = setting(
        0.5,
        "Position",
        "0 is the first source, 1 the second; with more than two, .5 gives all the same weight.",
        ge=0,
        le=1,
    )


def merge(material: Material, settings: SlerpSettings) -> "nn.Module":
    """Merge one source after the other: ``m_1 = theta_1``, ``m_k = slerp(m_(k-1), theta_k, t_k)``."""
    import torch

    flat = material.flat()
    columns = [_chain(list(tensor), settings.t) for tensor in per_tensor(flat, flat.theta)]
    return material.network(flat, torch.cat(columns))


def _chain(tensors: "list[Tensor]", t: float) -> "Tensor":
    """Merge with ``t_k = t / (t + (k-1)(1-t))``: t for the second source; 1/k, as in a running mean, if t is .5."""
    steps = enumerate(tensors[1:], start=1)
    return reduce(
        lambda merged, step: slerp(merged, step[1], t / (t + step[0] * (1 - t)) if t else 0.0), steps, tensors[0]
    )


def slerp(a: "Tensor", b: "Tensor", t: float) -> "Tensor":
    """Return ``sin((1-t)O)/sin(O) a + sin(tO)/sin(O) b``; O is the angle between the vectors a and b [n].

    Parallel vectors are interpolated linearly.
    """
    import torch

    norms = a.norm() * b.norm()
    cosine = (a @ b / norms).clamp(-1, 1) if norms > 0 else torch.ones_like(norms)
    if cosine.abs() > PARALLEL:
        return torch.lerp(a, b, t)
    angle = torch.acos(cosine)
    return (torch.sin((1 - t) * angle) * a + torch.sin(t * angle) * b) / torch.sin(angle)


METHOD = Method(
    name="slerp",
    title="SLERP",
    summary="Interpolates along the great circle between sources, tensor by tensor and one source after another.",
    paper="Shoemake 1985, doi 10.1145/325334.325242",
    needs=frozenset(),
    settings=SlerpSettings,
    merge=merge,
    ordered=True,
)
