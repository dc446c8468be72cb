"""Functions of mergekit and of FusionBench that compute what a method here computes, on the same networks.

They are imported where they are called, because they are installed only for benchmarks.
"""

import contextlib
import copy
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from softmerge_core.anatomy import describe
from softmerge_core.flat import FlatSources
from softmerge_core.methods import Material, find_method
from softmerge_core.methods.fisher import fisher_mean
from softmerge_core.methods.regmean import solve

Weights = dict[str, Tensor]  # one tensor a parameter


@dataclass(frozen=True)
class Scene:
    """What is merged; ``grams`` of the inputs of the last layer are [features, features] in float64, one a source."""

    sources: list[nn.Module]
    base: nn.Module
    grams: list[Tensor]

    def fishers(self) -> list[Tensor]:
        """Return numbers to take for the Fisher diagonals, one vector a source: the squares of its weights."""
        return [vector(source).square() for source in self.sources]


@dataclass(frozen=True)
class Peer:
    """One method here and the function of another package that computes the same; ``of``: what the two compute."""

    method: str
    package: str
    of: str
    ours: Callable[[Scene], Weights]
    theirs: Callable[[Scene], Weights]
    counts: tuple[int, ...] = (4, 16)


def weights_of(network: nn.Module) -> Weights:
    """Return the weights of a network by their names."""
    return {name: parameter.detach() for name, parameter in network.named_parameters()}


def usual(method: str) -> Any:
    """Return the settings of a method here, as they are by default."""
    return find_method(method).settings()


def alone(method: str) -> Callable[[Scene], Weights]:
    """Return a function that merges as the method does, without the checks and fresh BatchNorm statistics of its door.

    The other packages' functions do neither.
    """

    def ours(scene: Scene) -> Weights:
        names = tuple(str(number) for number in range(len(scene.sources)))
        material = Material(tuple(scene.sources), names, torch.Generator().manual_seed(0), base=scene.base)
        return weights_of(find_method(method).merge(material, usual(method)))

    return ours


# The same weights as one vector, and back. In ResNet-18 the sources' matrix here has the same order.


def vector(network: nn.Module) -> Tensor:
    """Return all weights as one vector."""
    return torch.cat([tensor.reshape(-1) for tensor in weights_of(network).values()])


def unflatten(values: Tensor, network: nn.Module) -> Weights:
    """Return a vector as the weights of ``network``'s architecture."""
    own = weights_of(network)
    pieces = values.split([tensor.numel() for tensor in own.values()])
    return {name: piece.view_as(tensor) for (name, tensor), piece in zip(own.items(), pieces, strict=True)}


def draws(scene: Scene) -> Iterator[Tensor]:
    """Yield the uniform numbers with which DARE here drops entries of each source, as one vector a source."""
    generator, size = torch.Generator().manual_seed(0), sum(weight.numel() for weight in scene.base.parameters())
    return (torch.rand(size, generator=generator) for _ in scene.sources)


# FusionBench.


def average_fusion(scene: Scene) -> Weights:
    """Average the weights; it cannot take BatchNorm's counts, which are integers."""
    from fusion_bench.method.simple_average import simple_average  # type: ignore[import-not-found]

    found: Weights = simple_average([weights_of(source) for source in scene.sources])
    return found


@torch.no_grad()
def arithmetic_fusion(scene: Scene) -> Weights:
    """Add scaled task vectors, as its algorithm does (its function refuses the networks of this torch)."""
    from fusion_bench.utils import state_dict_arithmetic as states  # type: ignore[import-not-found]

    base = weights_of(scene.base)
    total = None
    for source in scene.sources:
        own = states.state_dict_sub(weights_of(source), base)
        total = own if total is None else states.state_dict_add(total, own)
    found: Weights = states.state_dict_add(base, states.state_dict_mul(total, usual("task_arithmetic").scale))
    return found


def ties_fusion(scene: Scene) -> Weights:
    """Trim over the whole vector, elect, and take the mean of what agrees. It keeps one entry more than it is told."""
    from fusion_bench.method.ties_merging import ties_merging_utils as ties  # type: ignore[import-not-found]

    settings, base = usual("ties"), ties.state_dict_to_vector(weights_of(scene.base))
    own = torch.vstack([ties.state_dict_to_vector(weights_of(source)) for source in scene.sources]) - base
    kept = round(settings.density * own.shape[1])
    with contextlib.redirect_stdout(io.StringIO()):
        merged = ties.ties_merging(own, reset_thresh=(kept - 0.5) / own.shape[1], merge_func="mean")
    found: Weights = ties.vector_to_state_dict(base + settings.scale * merged, weights_of(scene.base))
    return found


@torch.no_grad()
def dare_fusion(scene: Scene) -> Weights:
    """Drop what is dropped here, scale up the rest, and add it to the base; on copies, because it works in place."""
    from fusion_bench.method.dare import utils  # type: ignore[import-not-found]
    from fusion_bench.utils.state_dict_arithmetic import state_dict_sum  # type: ignore[import-not-found]

    settings, vectors = usual("dare"), [copy.deepcopy(source) for source in scene.sources]
    for numbers, own in zip(draws(scene), vectors, strict=True):
        each = unflatten(numbers, scene.base).values()
        with mock.patch("torch.rand_like", side_effect=each):
            utils.module_random_drop_(utils.module_sub_(own, scene.base), settings.drop, rescale=True)
    total = state_dict_sum([utils.trainable_state_dict(own) for own in vectors])
    return {name: weight + settings.scale * total[name] for name, weight in weights_of(scene.base).items()}


@torch.no_grad()
def slerp_fusion(scene: Scene) -> Weights:
    """Interpolate on the sphere, tensor by tensor."""
    from fusion_bench.method.slerp.slerp import slerp_on_state_dicts  # type: ignore[import-not-found]

    found: Weights = slerp_on_state_dicts(usual("slerp").t, *map(weights_of, scene.sources))
    return found


def fisher_ours(scene: Scene) -> Weights:
    """Average by given Fisher diagonals."""
    flat, settings = FlatSources(scene.sources, describe(scene.base)), usual("fisher")
    flat.merged.copy_(fisher_mean(flat.theta, scene.fishers(), settings.floor, settings.normalise))
    return weights_of(flat.network)


def fisher_fusion(scene: Scene) -> Weights:
    """Average by given Fisher diagonals; the floor, a share of their mean here, is a number there."""
    from fusion_bench.method.fisher_merging.fisher_merging import (  # type: ignore[import-not-found]
        merging_with_fisher_weights,
    )

    vectors = scene.fishers()
    mean = sum(float(each.double().mean()) for each in vectors) / len(vectors)
    fishers = [unflatten(each, scene.base) for each in vectors]
    own = {name: [weights_of(source)[name] for source in scene.sources] for name in fishers[0]}
    found: Weights = merging_with_fisher_weights(
        own, fishers, torch.ones(len(fishers)), False, usual("fisher").floor * mean
    )
    return found


def _last_layer(scene: Scene) -> list[Tensor]:
    """The sources' weights of the last layer."""
    return [list(source.parameters())[-2].detach() for source in scene.sources]


def regmean_ours(scene: Scene) -> Weights:
    """Solve for the last layer alone."""
    settings, grams = usual("regmean"), [gram.unsqueeze(0) for gram in scene.grams]
    return {"last.weight": solve(grams, _last_layer(scene), settings.alpha, settings.ridge)}


def regmean_fusion(scene: Scene) -> Weights:
    """Solve for the last layer alone in float64, as is done here; it is given the ridge as part of the data."""
    from fusion_bench.method.regmean.regmean import merging_with_regmean_weights  # type: ignore[import-not-found]

    settings, count = usual("regmean"), len(scene.grams)
    ridge = settings.ridge * torch.stack([gram.diagonal() for gram in scene.grams]).sum(0).mean() / count
    each = [{"last": gram + ridge * torch.eye(len(gram))} for gram in scene.grams]
    own = {"last.weight": [weight.double() for weight in _last_layer(scene)]}
    found: Weights = merging_with_regmean_weights(own, each, settings.alpha)
    return found


# mergekit. Its methods work tensor by tensor; where ours looks at the whole vector, it is given that as one tensor.


@torch.no_grad()
def by_mergekit(method: str, scene: Scene, *, base: bool = False, **parameters: Any) -> Weights:
    """Merge by mergekit's method, tensor by tensor."""
    from mergekit.merge_methods import merge_state_dicts  # type: ignore[import-not-found]

    models = {str(number): weights_of(source) for number, source in enumerate(scene.sources)}
    models |= {"base": weights_of(scene.base)} if base else {}
    start = "base" if base else "0" if method == "slerp" else None
    found: Weights = merge_state_dicts(models, method, base=start, parameters=parameters)
    return found


@torch.no_grad()
def by_mergekit_as_vectors(method: str, scene: Scene, **parameters: Any) -> Weights:
    """Merge by mergekit's method, with all weights as one tensor."""
    from mergekit.merge_methods import merge_tensors

    vectors = [vector(network) for network in (scene.base, *scene.sources)]
    return unflatten(merge_tensors(vectors, method, parameters=parameters, base_index=0), scene.base)


def ties_mergekit(scene: Scene) -> Weights:
    """Trim, elect and average; the share is such that as many entries stay as here."""
    settings, size = usual("ties"), len(vector(scene.base))
    density = (round(settings.density * size) + 0.5) / size
    return by_mergekit_as_vectors("ties", scene, weight=1.0, density=density, **{"lambda": settings.scale})


def dare_mergekit(scene: Scene) -> Weights:
    """Drop what is dropped here; its own rescaling keeps the L1 norm, so the factor is in the weights instead."""
    settings = usual("dare")
    kept, stays = 1 - settings.drop, ((numbers >= settings.drop).float() for numbers in draws(scene))
    with mock.patch("torch.bernoulli", side_effect=stays):
        return by_mergekit_as_vectors("dare_linear", scene, weight=settings.scale / kept, density=kept, rescale=False)


PEERS = (
    Peer("average", "fusion-bench", "the mean", alone("average"), average_fusion),
    Peer("average", "mergekit", "the mean", alone("average"), partial(by_mergekit, "linear", weight=1.0)),
    Peer("task_arithmetic", "fusion-bench", "lambda .3", alone("task_arithmetic"), arithmetic_fusion),
    Peer(
        "task_arithmetic",
        "mergekit",
        "lambda .3",
        alone("task_arithmetic"),
        partial(by_mergekit, "task_arithmetic", base=True, weight=0.3),
    ),
    Peer("ties", "fusion-bench", "trimmed over all weights", alone("ties"), ties_fusion),
    Peer("ties", "mergekit", "trimmed over all weights, given as one tensor", alone("ties"), ties_mergekit),
    Peer("dare", "fusion-bench", "the same entries dropped", alone("dare"), dare_fusion),
    Peer("dare", "mergekit", "the same entries dropped", alone("dare"), dare_mergekit),
    Peer("slerp", "fusion-bench", "t .5", alone("slerp"), slerp_fusion, (2,)),
    Peer("slerp", "mergekit", "t .5", alone("slerp"), partial(by_mergekit, "slerp", t=0.5), (2,)),
    Peer("fisher", "fusion-bench", "the mean, diagonals given", fisher_ours, fisher_fusion),
    Peer("regmean", "fusion-bench", "the last layer, Gram matrices given", regmean_ours, regmean_fusion),
)
