"""Fisher merging: each source has a say in a weight in proportion to how much its predictions depend on it."""

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
    """On what and how the Fisher information is estimated."""

    samples: int = setting(128, "Samples", "Training inputs it is estimated on.", ge=1, le=100_000)
    expectation: Literal["exact", "drawn"] = setting(
        "exact", "Labels", "Weigh every class by the source's own probability, or draw one label a sample."
    )
    normalise: bool = setting(
        False, "Normalise", "Give every source's Fisher information the same mean: certain sources have a small one."
    )
    floor: float = setting(
        1e-3, "Floor", "Added to each Fisher entry, as a share of their mean: weights that hardly matter are averaged.",
        gt=0, le=1000, more=True,
    )  # fmt: skip


def merge(material: Material, settings: FisherSettings) -> "nn.Module":
    """``sum_k F_k theta_k / sum_k F_k``, all sources weighing the same."""
    flat = material.flat()
    inputs = train_inputs(material, flat, settings.samples)
    fishers = []
    for source in material.sources:
        if material.should_stop():
            return material.network(flat, flat.theta.mean(0))
        fishers.append(_fisher(source, flat, inputs, settings, material))
    return material.network(flat, fisher_mean(flat.theta, fishers, settings.floor, settings.normalise))


def fisher_mean(theta: "Tensor", fishers: "list[Tensor]", floor: float, normalise: bool) -> "Tensor":
    """[P] of ``theta`` [K, P] and one Fisher diagonal [P] a source; sums in float64, which sixteen squares need."""
    import torch

    weights = torch.stack(fishers).double()
    means = weights.mean(1, keepdim=True)
    scale = means.clamp(min=torch.finfo(torch.float64).tiny) if normalise else torch.ones_like(means)
    weights = weights / scale
    weights = weights + floor * weights.mean().clamp(min=torch.finfo(torch.float64).tiny)
    return ((weights * theta.double()).sum(0) / weights.sum(0)).to(theta)


def _fisher(
    source: "nn.Module", flat: "FlatSources", inputs: "Tensor", settings: FisherSettings, material: Material
) -> "Tensor":
    """Diagonal [P]: the mean over x of ``E_{y ~ p(y|x)} (d log p(y|x) / d theta)^2``, in ``flat``'s order.

    The labels are the source's own guesses, as in the paper, so that no true label is looked at.
    """
    import copy

    import torch

    from softmerge_core.evaluation import predict

    network = copy.deepcopy(source).to(flat.dtype).eval().requires_grad_(True)
    probabilities = predict(network, inputs).softmax(1)
    rows, labels, weights = _questions(probabilities, settings.expectation, material.generator)
    size = max(1, CHUNK // flat.theta.shape[1])
    total: dict[str, Tensor] = {name: torch.zeros_like(p) for name, p in network.named_parameters()}
    for part in torch.arange(len(rows)).split(size):
        for name, value in squared_gradients(network, inputs[rows[part]], labels[part], weights[part]).items():
            total[name] += value / len(inputs)
    network.load_state_dict(total, strict=False)  # only to have them in flat's order
    return flat.flatten(network)


def _questions(
    probabilities: "Tensor", expectation: str, generator: "torch.Generator"
) -> "tuple[Tensor, Tensor, Tensor]":
    """(which sample, which label, its weight): all classes of every sample, or one drawn from its probabilities."""
    import torch

    count, classes = probabilities.shape
    if expectation == "exact":
        rows = torch.arange(count).repeat_interleave(classes)
        return rows, torch.arange(classes).repeat(count), probabilities.reshape(-1)
    drawn = torch.multinomial(probabilities, 1, generator=generator)[:, 0]
    return torch.arange(count), drawn, torch.ones_like(probabilities[:, 0])


def squared_gradients(
    network: "nn.Module", inputs: "Tensor", labels: "Tensor", weights: "Tensor"
) -> "dict[str, Tensor]":
    """Per parameter, ``sum_i weights_i (d log p(labels_i | inputs_i))^2``: all samples at once where torch can."""
    from torch import nn

    if any(isinstance(module, nn.RNNBase) for module in network.modules()):  # torch's batching rule is a slow loop
        return _one_by_one(network, inputs, labels, weights)
    try:
        return _vectorised(network, inputs, labels, weights)
    except (RuntimeError, NotImplementedError):  # whatever has no batching rule
        return _one_by_one(network, inputs, labels, weights)


def _vectorised(network: "nn.Module", inputs: "Tensor", labels: "Tensor", weights: "Tensor") -> "dict[str, Tensor]":
    import torch
    from torch.func import functional_call, grad, vmap
    from torch.nn.attention import SDPBackend, sdpa_kernel

    parameters = {name: parameter.detach() for name, parameter in network.named_parameters()}

    def log_probability(parameters: "dict[str, Tensor]", sample: "Tensor", label: "Tensor") -> "Tensor":
        logits = functional_call(network, parameters, (sample.unsqueeze(0),))[0]
        return logits.log_softmax(0).gather(0, label.view(1))[0]

    with sdpa_kernel(SDPBackend.MATH):  # the only attention that has a batching rule
        each = vmap(grad(log_probability), in_dims=(None, 0, 0))(parameters, inputs, labels)
    return {name: torch.tensordot(weights, value.square(), 1) for name, value in each.items()}


def _one_by_one(network: "nn.Module", inputs: "Tensor", labels: "Tensor", weights: "Tensor") -> "dict[str, Tensor]":
    import torch

    names, parameters = zip(*network.named_parameters(), strict=True)
    total = {name: torch.zeros_like(parameter) for name, parameter in zip(names, parameters, strict=True)}
    for sample, label, weight in zip(inputs, labels, weights, strict=True):
        log_probability = network(sample.unsqueeze(0)).log_softmax(1)[0, label]
        gradients = torch.autograd.grad(log_probability, parameters, allow_unused=True)
        for name, gradient in zip(names, gradients, strict=True):
            if gradient is not None:
                total[name] += weight * gradient.square()
    return total


METHOD = Method(
    name="fisher",
    title="Fisher merging",
    summary="Weighs each source, weight by weight, by how much its own predictions depend on it.",
    paper="Matena, Raffel 2021, arXiv 2111.09832",
    needs=frozenset({"inputs"}),
    settings=FisherSettings,
    merge=merge,
    random=True,
)
