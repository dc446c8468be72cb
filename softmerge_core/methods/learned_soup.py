"""Learned soup: trains each layer's mixing weights, together with a scale of the logits, on validation data."""

from typing import TYPE_CHECKING, Literal

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import Mixture, as_dtype, descend, merge_data
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn


class LearnedSoupSettings(Settings):
    """The settings of training the mixing weights."""

    granularity: Literal["model", "module", "layer"] = setting(
        "layer", "Granularity", "Learn mixing weights for each layer, each module or the whole model."
    )
    steps: int = setting(200, "Steps", "The number of training steps.", ge=1, le=100_000)
    learning_rate: float = setting(0.1, "Learning rate", "AdamW's step size.", gt=0, le=10)
    scale_logits: bool = setting(
        True, "Scale logits", "Also train a factor on the logits, and keep it if the last layer is linear."
    )
    batch_size: int = setting(128, "Batch size", "Validation samples in each step.", ge=1, le=65_536, more=True)


def merge(material: Material, settings: LearnedSoupSettings) -> "nn.Module":
    """Return ``argmin CE(b f(x; sum_k a_lk theta_k), y)`` over ``a_l = softmax(logits_l)`` and ``b = exp(log_b)``.

    In the paper ``b`` is part of the predictions. Here it is multiplied into the last linear layer, which gives the
    same function; it is dropped if the last layer is of another kind.
    """
    import torch
    from torch.nn import functional

    flat, data = material.flat(), merge_data(material)
    inputs = as_dtype(data.validation_inputs, flat)
    mixture = Mixture(flat, settings.granularity)
    logits = torch.zeros(mixture.shape, dtype=flat.dtype, requires_grad=True)
    log_scale = torch.zeros((), dtype=flat.dtype, requires_grad=settings.scale_logits)

    def backward(chosen: "Tensor") -> float:
        labels = data.validation_labels[chosen]
        return mixture.backward(
            logits.softmax(1), inputs[chosen], lambda out: functional.cross_entropy(out * log_scale.exp(), labels)
        )

    descend(
        material,
        [logits, log_scale] if settings.scale_logits else [logits],
        backward,
        len(inputs),
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
    )
    mixture.write(logits.softmax(1))
    network = material.network(flat, flat.merged.clone())
    scale_outputs(network, data.validation_inputs[:1], float(log_scale.detach().exp()))
    return network


def scale_outputs(network: "nn.Module", inputs: "Tensor", scale: float) -> bool:
    """Multiply the linear layer that computes the network's outputs by ``scale``, in place; False if there is none."""
    import torch
    from torch import nn

    made: list[tuple[Tensor, nn.Linear]] = []
    hooks = [
        module.register_forward_hook(lambda layer, _, out: made.append((out, layer)))
        for module in network.modules()
        if isinstance(module, nn.Linear)
    ]
    with torch.no_grad():
        outputs = network.eval()(inputs)
        for hook in hooks:
            hook.remove()
        last = [layer for out, layer in made if out is outputs]
        for parameter in last[0].parameters() if last else ():
            parameter.mul_(scale)
    return bool(last)


METHOD = Method(
    name="learned_soup",
    title="Learned soup",
    summary="Trains each layer's mixing weights, and a scale of the logits, on the validation data.",
    paper="Wortsman et al. 2022, arXiv 2203.05482",
    needs=frozenset({"inputs", "labels"}),
    settings=LearnedSoupSettings,
    merge=merge,
    idempotent=False,  # the scale of the logits changes the last layer
    random=True,
)
