"""AdaMerging: learns from unlabelled data how strongly each layer of each task vector counts."""

from typing import TYPE_CHECKING, Literal

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import Mixture, as_dtype, descend, task_vectors
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn


class AdaMergingSettings(Settings):
    """The settings of AdaMerging and of its training."""

    granularity: Literal["model", "module", "layer"] = setting(
        "layer",
        "Granularity",
        "Learn coefficients for each layer, each module or the whole model (layer-wise or task-wise AdaMerging).",
    )
    initial: float = setting(0.3, "Initial", "Lambda, the factor on task vectors, before training.", ge=0, le=2)
    steps: int = setting(200, "Steps", "The number of training steps.", ge=1, le=100_000)
    learning_rate: float = setting(0.001, "Learning rate", "AdamW's step size.", gt=0, le=1)
    batch_size: int = setting(128, "Batch size", "Validation inputs in each step.", ge=1, le=65_536, more=True)


def merge(material: Material, settings: AdaMergingSettings) -> "nn.Module":
    """Return ``B + sum_k lambda_lk (theta_k - B)`` with the lambda that minimises the entropy of the predictions."""
    import torch

    flat = material.flat()
    base, flat.theta = task_vectors(material, flat)  # from here on the task vectors take the sources' place
    inputs = as_dtype(material.validation_inputs, flat)
    mixture = Mixture(flat, settings.granularity, base)
    coefficients = torch.full(mixture.shape, settings.initial, dtype=flat.dtype, requires_grad=True)
    descend(
        material,
        [coefficients],
        lambda chosen: mixture.backward(coefficients * 1, inputs[chosen], entropy),
        len(inputs),
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
    )
    mixture.write(coefficients)
    return material.network(flat, flat.merged.clone())


def entropy(logits: "Tensor") -> "Tensor":
    """Return the mean over samples of ``- sum_c p_c log p_c``, in nats, for logits [N, classes]."""
    logs = logits.log_softmax(1)
    return -(logs.exp() * logs).sum(1).mean()


METHOD = Method(
    name="adamerging",
    title="AdaMerging",
    summary="Learns, without labels, how much of each task vector to add in each layer, to make predictions certain.",
    paper="Yang et al. 2023, arXiv 2310.02575",
    needs=frozenset({"inputs", "base"}),
    settings=AdaMergingSettings,
    merge=merge,
    idempotent=False,
    random=True,
)
