"""Fisher merging: a source counts for a weight in proportion to how much its predictions depend on that weight."""

from typing import TYPE_CHECKING, Literal

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import train_inputs
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from softmerge_core.flat import FlatSources

CHUNK = 2**24  # gradient entries held at once


class FisherSettings(Settings):
    """The settings of estimating the Fisher information."""

    samples: int = setting(256, "Samples", "The number of training inputs used for the estimate.", ge=1, le=100_000)
    expectation: Literal["exact", "drawn"] = setting(
        "exact", "Labels", "Weigh every class by the source's own probability, or draw one label for each sample."
    )
    normalise: bool = setting(
        False,
        "Normalise",
        "Give every source's Fisher information the same mean; otherwise sources that are very certain count little.",
    )
    floor: float = setting(
        0.1, "Floor", "Added to each Fisher entry, as a share of their mean: weights that hardly matter are averaged.",
        gt=0, le=1000, more=True,
    )  # fmt: skip


def merge(material: Material, settings: FisherSettings) -> "nn.Module":
    """Return ``sum_k F_k theta_k / sum_k F_k``, in which all sources have the same prior weight."""
    from softmerge_core.flat import plain_average

    flat = material.flat()
    inputs = train_inputs(material, flat, settings.samples)
    fishers = []
    for source in material.sources:
        if material.should_stop():
            return plain_average(material.sources, material.batchnorm_inputs)
        fishers.append(_fisher(source, flat, inputs, settings, material))
    return material.network(flat, fisher_mean(flat.theta, fishers, settings.floor, settings.normalise))


def fisher_mean(theta: "Tensor", fishers: "list[Tensor]", floor: float, normalise: bool) -> "Tensor":
    """Return the mean [P] of ``theta`` [K, P], weighted by one Fisher diagonal [P] for each source.

    Sums are in float64, because Fisher entries are squares and span a wide range.
    """
    import torch

    weights = torch.stack(fishers).double().nan_to_num(posinf=torch.finfo(torch.float32).max)  # squares may overflow
    means = weights.mean(1, keepdim=True)
    scale = means.clamp(min=torch.finfo(torch.float64).tiny) if normalise else torch.ones_like(means)
    weights = weights / scale
    weights = weights + floor * weights.mean().clamp(min=torch.finfo(torch.float64).tiny)
    return ((weights * theta.double()).sum(0) / weights.sum(0)).to(theta)


def _fisher(
    source: "nn.Module", flat: "FlatSources", inputs: "Tensor", settings: FisherSettings, material: Material
) -> "Tensor":
    """Return the diagonal [P], in ``flat``'s order: the mean over x of ``E_{y ~ p(y|x)} (d log p(y|x) / d theta)^2``.

    The labels are the source's own guesses, as in the paper, so no true label is used.
    """
    import copy

    import torch

    from softmerge_core.evaluation import predict

    network = copy.deepcopy(source).to(flat.dtype).eval().requires_grad_(True)
    weights = _label_weights(predict(network, inputs).softmax(1), settings.expectation, material.generator)
    size = max(1, CHUNK // flat.theta.shape[1])
    total: dict[str, Tensor] = {name: torch.zeros_like(p) for name, p in network.named_parameters()}
    for some, theirs in zip(inputs.split(size), weights.split(size), strict=True):
        for name, value in squared_gradients(network, some, theirs).items():
            total[name] += value / len(inputs)
    buffers = {name: torch.zeros_like(buffer) for name, buffer in network.named_buffers()}
    network.load_state_dict({**buffers, **total}, strict=False)  # brings them into flat's order; buffers have no Fisher
    return flat.flatten(network)


def _label_weights(probabilities: "Tensor", expectation: str, generator: "torch.Generator") -> "Tensor":
    """Return the weight [N, classes] of each label: its probability, or 1 for one label drawn by it, 0 for others."""
    import torch

    if expectation == "exact":
        return probabilities
    drawn = torch.multinomial(probabilities, 1, generator=generator)
    return torch.zeros_like(probabilities).scatter_(1, drawn, 1)


def squared_gradients(network: "nn.Module", inputs: "Tensor", weights: "Tensor") -> "dict[str, Tensor]":
    """Return ``sum_ic weights_ic (d log p(c | inputs_i))^2`` for each parameter, by batched gradients if torch can."""
    from torch import nn

    if any(
        isinstance(module, nn.RNNBase) for module in network.modules()
    ):  # torch's batching rule for these is a slow loop
        return _one_by_one(network, inputs, weights)
    try:
        return _vectorised(network, inputs, weights)
    except (RuntimeError, NotImplementedError):  # some layer has no batching rule
        return _one_by_one(network, inputs, weights)


def _vectorised(network: "nn.Module", inputs: "Tensor", weights: "Tensor") -> "dict[str, Tensor]":
    import torch
    from torch.func import functional_call, grad, vmap
    from torch.nn.attention import SDPBackend, sdpa_kernel

    parameters = {name: parameter.detach() for name, parameter in network.named_parameters()}
    total = {name: torch.zeros_like(parameter) for name, parameter in parameters.items()}

    def log_probability(parameters: "dict[str, Tensor]", sample: "Tensor", label: int) -> "Tensor":
        found: Tensor = functional_call(network, parameters, (sample.unsqueeze(0),))[0].log_softmax(0)[label]
        return found

    each = vmap(grad(log_probability), in_dims=(None, 0, None))
    for label, column in enumerate(weights.T):
        asked = column.nonzero()[:, 0]
        with sdpa_kernel(SDPBackend.MATH):  # the only attention kernel with a batching rule
            gradients = each(parameters, inputs[asked], label) if len(asked) else {}
        for name, gradient in gradients.items():
            total[name] += torch.tensordot(column[asked], gradient.square(), 1)
    return total


def _one_by_one(network: "nn.Module", inputs: "Tensor", weights: "Tensor") -> "dict[str, Tensor]":
    import torch

    names, parameters = zip(*network.named_parameters(), strict=True)
    total = {name: torch.zeros_like(parameter) for name, parameter in zip(names, parameters, strict=True)}
    for sample, row in zip(inputs, weights, strict=True):
        logs = network(sample.unsqueeze(0)).log_softmax(1)[0]
        for label in row.nonzero()[:, 0].tolist():
            gradients = torch.autograd.grad(logs[label], parameters, retain_graph=True, allow_unused=True)
            for name, gradient in zip(names, gradients, strict=True):
                if gradient is not None:
                    total[name] += row[label] * gradient.square()
    return total


METHOD = Method(
    name="fisher",
    title="Fisher merging",
    summary="Averages weight by weight; a source counts more for weights on which its own predictions depend more.",
    paper="Matena, Raffel 2021, arXiv 2111.09832",
    needs=frozenset({"inputs"}),
    settings=FisherSettings,
    merge=merge,
    random=True,
)
