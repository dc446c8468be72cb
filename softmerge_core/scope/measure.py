"""Weight scope (arXiv 2408.12237): the mean and spread of each layer's weights, and the pull toward a common one.

The weights of a layer are close to Gaussian, so that two numbers a layer, mu and sigma, say where they lie. Networks
whose scopes are alike lose less when their weights are averaged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from softmerge_core.errors import SourceError

Direction = Literal["forward", "reverse"]
Fusion = Literal["mean", "mixture"]
TINY = 1e-12  # a spread below this is none at all


def kl(mu: Tensor, sigma: Tensor, target_mu: Tensor, target_sigma: Tensor) -> Tensor:
    """KL(N(mu, sigma^2) || N(target_mu, target_sigma^2)) in nats, elementwise; every sigma > 0.

    ``log(t / s) + (s^2 + (mu - mu_t)^2) / (2 t^2) - 1/2``, exactly zero at its target.
    """
    ratio = (sigma / target_sigma) ** 2
    distance = ((mu - target_mu) / target_sigma) ** 2
    return 0.5 * (ratio - 1 - torch.log(ratio) + distance)


@dataclass(frozen=True)
class Scope:
    """``mu`` and ``sigma`` [L], one a weight tensor in ``layers``; differentiable where the weights were."""

    layers: tuple[str, ...]
    mu: Tensor
    sigma: Tensor

    def detach(self) -> "Scope":
        """The same numbers, cut off from the weights they came from."""
        return Scope(self.layers, self.mu.detach().clone(), self.sigma.detach().clone())


def scoped_weights(network: nn.Module) -> dict[str, nn.Parameter]:
    """The parameters that have a scope: floating, of two or more axes, with more than one entry; by name.

    Biases and the factors of normalisation layers are few and start out all alike: they have none.
    """
    return {
        name: parameter
        for name, parameter in network.named_parameters()
        if parameter.is_floating_point() and parameter.ndim > 1 and parameter.numel() > 1
    }


def scope_of(network: nn.Module) -> Scope:
    """Mean and standard deviation (over all entries, not n - 1) of each weight tensor.

    Raises SourceError when the network has no weights of two or more axes.
    """
    weights = scoped_weights(network)
    if not weights:
        raise SourceError("expected a network with weight matrices, got none: there is no scope to measure")
    mu = torch.stack([weight.mean() for weight in weights.values()])
    sigma = torch.stack([weight.std(correction=0) for weight in weights.values()])
    return Scope(tuple(weights), mu, sigma)


def fuse(scopes: Sequence[Scope], weights: Sequence[float] | None = None, how: Fusion = "mean") -> Scope:
    """One scope from several of the same layers; ``weights`` (none: equal) are divided by their sum.

    "mean": mean of mu and mean of sigma, the Wasserstein barycentre of Gaussians; "mixture": mean and spread of all
    weights thrown together, wider where the means differ. Equal scopes give that scope.
    """
    if not scopes or any(scope.layers != scopes[0].layers for scope in scopes):
        raise SourceError("scopes: expected one or more of the same layers")
    share = torch.tensor(weights or [1.0] * len(scopes), dtype=torch.float64)
    share = (share / share.sum())[:, None]
    mus, sigmas = (torch.stack([getattr(s, name).detach().double() for s in scopes]) for name in ("mu", "sigma"))
    mu = (share * mus).sum(0)
    sigma = (share * sigmas).sum(0)
    if how == "mixture":
        sigma = (share * (sigmas**2 + (mus - mu) ** 2)).sum(0).sqrt()
    return Scope(scopes[0].layers, mu.to(scopes[0].mu.dtype), sigma.to(scopes[0].sigma.dtype))


def distance(first: Scope, second: Scope) -> Tensor:
    """Jeffreys divergence [L] in nats: KL one way plus KL the other; infinite against a layer without spread."""
    a, b = first.detach(), second.detach()
    mu, sigma, other_mu, other_sigma = a.mu.double(), a.sigma.double(), b.mu.double(), b.sigma.double()
    both = kl(mu, sigma, other_mu, other_sigma) + kl(other_mu, other_sigma, mu, sigma)
    same = (mu == other_mu) & (sigma == other_sigma)
    return torch.where(same, torch.zeros_like(both), torch.nan_to_num(both, nan=torch.inf))


class ScopePenalty:
    """``weight`` times the summed KL of a network's layers toward ``target``, for ``training.train``'s penalty.

    ``direction``: "forward" is KL(own || target), "reverse" KL(target || own). A layer whose target has no spread
    (all weights alike) is left alone: no KL reaches it. ``target`` may be replaced as training goes.
    """

    def __init__(self, target: Scope, weight: float, direction: Direction = "forward") -> None:
        self.target, self.weight, self.direction = target.detach(), weight, direction

    def __call__(self, network: nn.Module) -> Tensor:
        """A scalar in nats; zero when the network's scope is the target."""
        if not self.weight:
            return torch.zeros(())
        own, target = scope_of(network), self.target
        held = target.sigma > TINY
        here, there = (own.mu[held], own.sigma[held].clamp(min=TINY)), (target.mu[held], target.sigma[held])
        pair = (*here, *there) if self.direction == "forward" else (*there, *here)
        return self.weight * kl(*pair).sum()
