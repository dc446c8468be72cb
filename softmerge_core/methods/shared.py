"""Tools that several methods share: the judge, views of single tensors, differentiable mixing, plain AdamW steps."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from softmerge_core.errors import SettingsError
from softmerge_core.methods.base import Material

# A batch on which an extreme source counts has a gradient millions of times larger than usual. Unclipped, it would
# dominate Adam's second moment, and no variable would move for the rest of the run.
MAX_GRADIENT = 1.0

if TYPE_CHECKING:
    from torch import Tensor, nn

    from softmerge_core.anatomy import Partition
    from softmerge_core.data.base import MergeData
    from softmerge_core.flat import FlatSources
    from softmerge_core.merging.candidates import Judge


def merge_data(material: Material) -> "MergeData":
    """Return the material's samples and labels; for methods that need both."""
    from softmerge_core.data.base import MergeData

    return MergeData(
        given(material.train_inputs),
        given(material.train_labels),
        given(material.validation_inputs),
        given(material.validation_labels),
    )


def given(tensor: "Tensor | None") -> "Tensor":
    """Return a tensor of the material; raises SettingsError where the method was given none."""
    if tensor is None:
        raise SettingsError("this method was given no data; expected inputs, and labels where it needs them")
    return tensor


def softly_merged(material: Material, data: "MergeData", **settings: Any) -> "nn.Module":
    """Return the network of ``soft_merge`` on ``data``; a source whose outputs overflow is left out, not refused."""
    from softmerge_core.merging.soft import soft_merge
    from softmerge_core.settings import SoftMergeSettings

    full = SoftMergeSettings(**settings, seed=draw_seed(material), non_finite="exclude")
    result = soft_merge(material.sources, data, full, names=material.names, should_stop=material.should_stop)
    return material.refreshed(result.model)


def tuned(material: Material, network: "nn.Module", **settings: Any) -> "nn.Module":
    """Return ``network``, trained in place on cross-entropy as ``settings`` (of TrainSettings) say."""
    from softmerge_core.settings import TrainSettings
    from softmerge_core.training import train

    data, own = merge_data(material), TrainSettings(**settings, seed=draw_seed(material))
    network.requires_grad_(True)
    train(network, data.train_inputs, data.train_labels, own, should_stop=material.should_stop)
    return material.refreshed(network)


def train_inputs(material: Material, flat: "FlatSources", samples: int) -> "Tensor":
    """Return ``samples`` of the training inputs [n, ...], drawn without replacement, in ``flat``'s dtype."""
    import torch

    inputs = as_dtype(given(material.train_inputs), flat)
    return inputs[torch.randperm(len(inputs), generator=material.generator)[:samples]]


def as_dtype(inputs: "Tensor | None", flat: "FlatSources") -> "Tensor":
    """Return inputs in the dtype of ``flat``'s working network; integers stay integers."""
    inputs = given(inputs)
    return inputs.to(flat.dtype) if inputs.is_floating_point() else inputs


def draw_seed(material: Material) -> int:
    """Return a seed for a computation that has its own generator."""
    import torch

    return int(torch.randint(2**31, (1,), generator=material.generator))


def judge(material: Material) -> "Judge":
    """Return a judge, which renews BatchNorm's statistics of a network and measures it on the validation data."""
    import torch

    from softmerge_core.merging.candidates import Judge

    inputs = given(material.validation_inputs)
    return Judge(merge_data(material), "cpu", torch.float64 if inputs.dtype == torch.float64 else torch.float32)


def judge_sources(material: Material) -> "list[tuple[float, float]]":
    """Return the (accuracy, loss) of every unchanged source on the validation data; NaN losses become infinite."""
    from softmerge_core.evaluation import evaluate

    data = merge_data(material)
    measured = [evaluate(source, data.validation_inputs, data.validation_labels) for source in material.sources]
    return [(accuracy, math.inf if math.isnan(loss) else loss) for accuracy, loss in measured]


def base_weights(material: Material, flat: "FlatSources") -> "Tensor":
    """Return the base model's weights [P] in ``flat``'s order."""
    assert material.base is not None  # checked by methods.merge
    return material.flatten(flat, material.base)


def task_vectors(material: Material, flat: "FlatSources") -> "tuple[Tensor, Tensor]":
    """Return the base weights [P] and the task vectors theta_k - base [K, P]."""
    base = base_weights(material, flat)
    return base, flat.theta - base


def per_tensor(flat: "FlatSources", weights: "Tensor") -> "tuple[Tensor, ...]":
    """Return ``weights`` [..., P] as views [..., size], one for each parameter tensor."""
    views: tuple[Tensor, ...] = weights.split([slot.size for slot in flat.slots], -1)
    return views


def parts_of(flat: "FlatSources", granularity: str) -> "Partition":
    """Return the partition of all layers at "model", "module" or "layer"."""
    from softmerge_core.anatomy import partition

    return partition(flat.layers, granularity)


class Mixture:
    """The network ``base + sum_k w[part, k] theta_k``, trainable in ``w`` [parts, K]; ``base`` is [P] or None."""

    def __init__(self, flat: "FlatSources", granularity: str, base: "Tensor | None" = None) -> None:
        self.flat, self.base = flat, base
        self.parts = parts_of(flat, granularity)
        self.blocks = flat.blocks(self.parts)
        self.shape = (len(self.parts.names), len(flat.theta))

    def write(self, weights: "Tensor") -> "nn.Module":
        """Return the working network with these weights [parts, K]; the caller must renew its BatchNorm statistics."""
        self.blocks.write(weights.detach())
        if self.base is not None:
            self.flat.merged += self.base
        return self.flat.network

    def backward(self, weights: "Tensor", inputs: "Tensor", loss_of: "Callable[[Tensor], Tensor]") -> float:
        """Return the loss of the network's logits, and add its gradient to the variables behind ``weights``."""
        from softmerge_core.merging.gate_training import training_mode

        network = self.write(weights)
        training_mode(network, len(inputs))
        self.flat.gradient.zero_()
        loss = loss_of(network(inputs))
        loss.backward()
        weights.backward(self.blocks.weight_gradient())
        return float(loss.detach())


def descend(
    material: Material,
    variables: "Sequence[Tensor]",
    backward: "Callable[[Tensor], float]",
    samples: int,
    *,
    steps: int,
    learning_rate: float,
    batch_size: int = 128,
    weight_decay: float = 0.0,
) -> None:
    """Take AdamW steps on random batches of ``samples`` samples, in place, until done or asked to stop.

    ``backward(chosen)`` adds gradients to ``variables`` and returns the loss. Steps whose loss or gradient is not
    finite are skipped, so that one overflowing draw does not undo the others.
    """
    import torch

    optimiser = torch.optim.AdamW(variables, lr=learning_rate, weight_decay=weight_decay)
    for _ in range(steps):
        if material.should_stop():
            return
        optimiser.zero_grad()
        loss = backward(torch.randint(samples, (min(batch_size, samples),), generator=material.generator))
        gradients = [variable.grad for variable in variables if variable.grad is not None]
        if math.isfinite(loss) and all(bool(torch.isfinite(gradient).all()) for gradient in gradients):
            torch.nn.utils.clip_grad_norm_(variables, MAX_GRADIENT)
            optimiser.step()
