"""Planes in weight space: through three networks, or along two random directions around one."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from softmerge_core.errors import SourceError

FLAT = 1e-6  # three networks that are nearer to one line than this, relatively, span no plane


@dataclass(frozen=True)
class Plane:
    """All points ``origin + x u + y v``, vectors [P] in float64; ``corners``: (x, y) of the networks that span it."""

    origin: Tensor
    u: Tensor
    v: Tensor
    corners: tuple[tuple[float, float], ...]

    def points(self, xs: Tensor, ys: Tensor) -> Tensor:
        """Return the weights [N, P] at the places (xs[i], ys[i])."""
        return self.origin + xs.double()[:, None] * self.u + ys.double()[:, None] * self.v

    def place(self, point: Tensor) -> tuple[float, float, float]:
        """Return (x, y, distance from the plane) of ``point`` [P]; u and v must be orthonormal."""
        away = point.double() - self.origin
        x, y = float(away @ self.u), float(away @ self.v)
        return x, y, float((away - x * self.u - y * self.v).norm())


def plane_through(a: Tensor, b: Tensor, c: Tensor, names: tuple[str, str, str] = ("a", "b", "c")) -> Plane:
    """Return the plane of three networks' weights [P]: u points along b - a, v toward c.

    Garipov et al. 2018, arXiv 1802.10026. u and v are orthonormal, so x and y are distances between weights. Raises
    SourceError if two of the three are equal, or if all lie on one line.
    """
    a, b, c = a.double(), b.double(), c.double()
    for one, other, pair in ((a, b, (0, 1)), (a, c, (0, 2)), (b, c, (1, 2))):
        if float((one - other).norm()) <= FLAT * max(float(one.norm()), float(other.norm())):
            first, second = (names[k] for k in pair)
            raise SourceError(f"no plane: {first!r} and {second!r} have the same weights; expected three networks")
    u, v = b - a, c - a
    width = float(u.norm())
    u = u / width
    x = float(v @ u)
    v = v - x * u
    height = float(v.norm())
    if height <= FLAT * max(width, abs(x)):
        raise SourceError(f"no plane: {', '.join(map(repr, names))} lie on one line; choose another third network")
    v = v / height
    v = v - (v @ u) * u  # once more, to remove rounding errors
    return Plane(a, u, v / v.norm(), ((0.0, 0.0), (width, 0.0), (x, height)))


def filter_direction(network: nn.Module, generator: torch.Generator) -> Tensor:
    """Return a random direction [P] in which each filter has the norm of the network's own filter.

    Li et al. 2018, arXiv 1712.09913. A filter is one output channel of a convolution, or one row of a matrix. For
    biases and the factors of normalisation layers the direction is zero, as in the authors' code.
    """
    parts = []
    for parameter in network.parameters():
        own = parameter.detach().double()
        drawn = torch.randn(own.shape, generator=generator, dtype=torch.float64)
        parts.append(_normed(drawn, own) if own.dim() > 1 else torch.zeros_like(own))
    return nn.utils.parameters_to_vector(parts)


def _normed(drawn: Tensor, own: Tensor) -> Tensor:
    lengths = [tensor.flatten(1).norm(dim=1) for tensor in (own, drawn)]
    scaled: Tensor = drawn * (lengths[0] / lengths[1]).view(-1, *[1] * (own.dim() - 1))
    return scaled


def random_plane(network: nn.Module, centre: Tensor, generator: torch.Generator) -> Plane:
    """Return the plane around the network's weights ``centre`` [P], along two filter-normalised random directions."""
    u, v = (filter_direction(network, generator) for _ in range(2))
    return Plane(centre.double(), u, v, ((0.0, 0.0),))
