"""What several methods need: the judge, per-tensor views, differentiable mixing, plain Adam steps."""

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from softmerge_core.errors import SettingsError
from softmerge_core.methods.base import Material

# One batch on which an extreme source has its say has a gradient millions of times the usual one, which would fill
# Adam's second moment and still every variable for the rest of the run.
MAX_GRADIENT = 1.0

if TYPE_CHECKING:
    from torch import Tensor, nn

    from softmerge_core.anatomy import Partition
    from softmerge_core.data.base import MergeData
    from softmerge_core.flat import FlatSources
    from softmerge_core.merging.candidates import Judge


def merge_data(material: Material) -> "MergeData":
    """The material's samples and labels, of a method that needs both."""
    from softmerge_core.data.base import MergeData

    return MergeData(
        _given(material.train_inputs),
        _given(material.train_labels),
        _given(material.validation_inputs),
        _given(material.validation_labels),
    )


def _given(tensor: "Tensor | None") -> "Tensor":
    if tensor is None:
        raise SettingsError("this method was given no data; expected inputs, and labels where it needs them")
    return tensor


def train_inputs(material: Material, flat: "FlatSources", samples: int) -> "Tensor":
    """``samples`` of the training inputs [n, ...], drawn without replacement, in ``flat``'s dtype."""
    import torch

    inputs = as_dtype(_given(material.train_inputs), flat)
    return inputs[torch.randperm(len(inputs), generator=material.generator)[:samples]]


def as_dtype(inputs: "Tensor | None", flat: "FlatSources") -> "Tensor":
    """Inputs as ``flat``'s working network reads them; whole numbers stay whole."""
    inputs = _given(inputs)
    return inputs.to(flat.dtype) if inputs.is_floating_point() else inputs


def draw_seed(material: Material) -> int:
    """A seed for something that has a generator of its own."""
    import torch

    return int(torch.randint(2**31, (1,), generator=material.generator))


def judge(material: Material) -> "Judge":
    """Measures networks on the validation data, after renewing BatchNorm's statistics."""
    import torch

    from softmerge_core.merging.candidates import Judge

    inputs = _given(material.validation_inputs)
    return Judge(merge_data(material), "cpu", torch.float64 if inputs.dtype == torch.float64 else torch.float32)


def judge_sources(material: Material) -> "list[tuple[float, float]]":
    """(accuracy, loss) of every source as it is on the validation data; never a NaN, so that they can be sorted."""
    from softmerge_core.evaluation import evaluate

    data = merge_data(material)
    measured = [evaluate(source, data.validation_inputs, data.validation_labels) for source in material.sources]
    return [(accuracy, math.inf if math.isnan(loss) else loss) for accuracy, loss in measured]


def base_weights(material: Material, flat: "FlatSources") -> "Tensor":
    """The base model's weights [P] in ``flat``'s order."""
    assert material.base is not None  # the door saw to it
    return material.flatten(flat, material.base)


def task_vectors(material: Material, flat: "FlatSources") -> "tuple[Tensor, Tensor]":
    """(base weights [P], task vectors theta_k - base [K, P])."""
    base = base_weights(material, flat)
    return base, flat.theta - base


def per_tensor(flat: "FlatSources", weights: "Tensor") -> "tuple[Tensor, ...]":
    """``weights`` [..., P] as one view [..., size] a parameter tensor."""
    return weights.split([slot.size for slot in flat.slots], -1)


def parts_of(flat: "FlatSources", granularity: str) -> "Partition":
    """The partition of all layers at "model", "module" or "layer"."""
    from softmerge_core.anatomy import partition

    return partition(flat.layers, granularity)


class Mixture:
    """``base + sum_k w[part, k] theta_k`` as a network that can be trained in ``w`` [parts, K]; base is 0 or [P]."""

    def __init__(self, flat: "FlatSources", granularity: str, base: "Tensor | None" = None) -> None:
        self.flat, self.base = flat, base
        self.parts = parts_of(flat, granularity)
        self.blocks = flat.blocks(self.parts)
        self.shape = (len(self.parts.names), len(flat.theta))

    def write(self, weights: "Tensor") -> "nn.Module":
        """The working network with these weights [parts, K] (BatchNorm's statistics are the caller's to renew)."""
        self.flat.merge(self.blocks, weights.detach())
        if self.base is not None:
            self.flat.merged += self.base
        return self.flat.network

    def backward(self, weights: "Tensor", inputs: "Tensor", loss_of: "Callable[[Tensor], Tensor]") -> float:
        """The loss of the network's logits, its gradient left in whatever ``weights`` were computed from."""
        from softmerge_core.merging.gate_training import training_mode

        network = self.write(weights)
        training_mode(network, len(inputs))
        self.flat.gradient.zero_()
        loss = loss_of(network(inputs))
        loss.backward()  # type: ignore[no-untyped-call]
        weights.backward(self.flat.weight_gradient(self.blocks, self.shape[0]))  # type: ignore[no-untyped-call]
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
    """AdamW steps on random batches of ``samples`` samples, in place, until done or asked to stop.

    ``backward(chosen)`` leaves gradients in ``variables`` and returns the loss. A step whose loss or gradient is not
    finite is left out: one overflowing draw must not undo the others.
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
