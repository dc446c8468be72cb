"""RegMean: each linear layer is the least-squares fit to the outputs of the same layer in all sources."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import train_inputs
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


class RegMeanSettings(Settings):
    """The settings of the least-squares problems."""

    samples: int = setting(
        1024, "Samples", "The number of training inputs on which the layers' inputs are collected.", ge=1, le=100_000
    )
    alpha: float = setting(
        0.5, "Off-diagonals", "Alpha: the factor on inner products between different features.", ge=0, le=1
    )
    ridge: float = setting(
        1e-4, "Ridge", "Pull toward the average, relative to a feature's mean square; dead features need it.",
        gt=0, le=1000, more=True,
    )  # fmt: skip


def merge(material: Material, settings: RegMeanSettings) -> "nn.Module":
    """Fit linear and convolutional weights by least squares; biases, norms, attention and LSTM weights are averaged."""
    import torch

    from softmerge_core.flat import plain_average

    flat = material.flat()
    inputs = train_inputs(material, flat, settings.samples)
    network = plain_average(material.sources, material.batchnorm_inputs).to(flat.dtype)
    grams: list[dict[str, Tensor]] = []
    for source in material.sources:
        if material.should_stop():
            return network.to(next(source.parameters()).dtype)
        grams.append(gather(source, flat.dtype, inputs))
    weights = [dict(source.named_parameters()) for source in material.sources]
    with torch.no_grad():
        for name in grams[0]:
            own = [weight[name].detach().to(flat.dtype) for weight in weights]
            solved = solve([gram[name] for gram in grams], own, settings.alpha, settings.ridge)
            network.get_parameter(name).copy_(solved)
    return material.refreshed(network.to(next(material.sources[0].parameters()).dtype))


def solve(grams: "list[Tensor]", weights: "list[Tensor]", alpha: float, ridge: float) -> "Tensor":
    """Return ``(sum_k G_k)^-1 sum_k G_k W_k``, where ``G_k = alpha X_k' X_k + (1 - alpha) diag(X_k' X_k)``.

    ``grams`` are [groups, features, features] each, ``weights`` [out, ...] each. The ridge pulls toward the mean.
    Computed in float64, because Gram matrices square the condition number.
    """
    import torch

    groups, features = grams[0].shape[:2]
    shape = weights[0].shape
    rows = [weight.double().reshape(groups, -1, features).mT for weight in weights]  # [groups, features, out]
    shrunk = [alpha * gram + (1 - alpha) * torch.diag_embed(gram.diagonal(dim1=1, dim2=2)) for gram in grams]
    total = torch.stack(shrunk).sum(0)
    size = ridge * total.diagonal(dim1=1, dim2=2).mean().clamp(min=torch.finfo(torch.float64).tiny)
    total = total + size * torch.eye(features, dtype=torch.float64)
    right = sum(gram @ row for gram, row in zip(shrunk, rows, strict=True)) + size * torch.stack(rows).mean(0)
    solved: Tensor = torch.linalg.solve(total, right).mT.reshape(shape).to(weights[0].dtype)
    return solved


def gather(source: "nn.Module", dtype: "torch.dtype", inputs: "Tensor") -> "dict[str, Tensor]":
    """Return ``X' X`` [groups, features, features] in float64 for each linear or convolutional weight that was used."""
    import copy

    from torch import nn

    from softmerge_core.evaluation import predict

    network = copy.deepcopy(source).to(dtype)
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    grams: dict[str, Tensor] = {}

    def add(layer: "nn.Module", arguments: "tuple[Tensor, ...]") -> None:
        name = names[id(layer.weight)]
        features = rows(layer, arguments[0]).double()
        grams[name] = grams.get(name, 0) + features.mT @ features

    for module in network.modules():
        if isinstance(module, (nn.Linear, nn.Conv1d, nn.Conv2d)):
            module.register_forward_pre_hook(add)
    predict(network, inputs)
    return grams


def rows(layer: "nn.Module", inputs: "Tensor") -> "Tensor":
    """Return what the layer's weight is multiplied with, [groups, rows, features]; for a convolution, its patches."""
    from torch import nn
    from torch.nn import functional

    if isinstance(layer, nn.Linear):
        return inputs.reshape(1, -1, layer.in_features)
    assert isinstance(layer, (nn.Conv1d, nn.Conv2d))
    mode = "constant" if layer.padding_mode == "zeros" else layer.padding_mode
    padded = functional.pad(inputs, layer._reversed_padding_repeated_twice, mode=mode)
    flat = [1] * (2 - len(layer.kernel_size))  # a sequence is an image of height 1
    image = padded.unsqueeze(2) if flat else padded
    patches = functional.unfold(image, (*flat, *layer.kernel_size), (*flat, *layer.dilation), 0, (*flat, *layer.stride))
    return patches.view(len(inputs), layer.groups, -1, patches.shape[2]).permute(1, 0, 3, 2).flatten(1, 2)


METHOD = Method(
    name="regmean",
    title="RegMean",
    summary="Solves for the linear and convolutional layers whose outputs are closest to those of all sources.",
    paper="Jin et al. 2022, arXiv 2212.09849",
    needs=frozenset({"inputs"}),
    settings=RegMeanSettings,
    merge=merge,
    random=True,
)
