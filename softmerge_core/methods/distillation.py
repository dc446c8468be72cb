"""Distillation: trains one network of the sources' architecture to predict what all of them predict together."""

from typing import TYPE_CHECKING, Literal

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import descend, merge_data
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn


class DistillationSettings(Settings):
    """The settings of distillation and of its training."""

    start: Literal["average", "best_source"] = setting(
        "best_source", "Start", "Begin from the source with the lowest validation loss, or from the plain average."
    )
    steps: int = setting(300, "Steps", "The number of training steps.", ge=1, le=100_000)
    learning_rate: float = setting(0.003, "Learning rate", "AdamW's step size.", gt=0, le=1)
    temperature: float = setting(2.0, "Temperature", "T: higher values make all predictions softer.", ge=0.1, le=100)
    alpha: float = setting(
        0.5, "Teacher's share", "Alpha: 1 learns only from the sources, 0 only from labels.", ge=0, le=1
    )
    batch_size: int = setting(128, "Batch size", "Training samples in each step.", ge=1, le=65_536, more=True)


def merge(material: Material, settings: DistillationSettings) -> "nn.Module":
    """Train a student to minimise ``alpha T^2 KL(teacher/T || student/T) + (1 - alpha) CE`` on the training samples."""
    data, student = merge_data(material), _start(material, settings.start)
    teacher = _teacher(material, settings.temperature)

    def backward(chosen: "Tensor") -> float:
        student.train(len(chosen) > 1)
        logits = student(data.train_inputs[chosen])
        loss = _loss(logits, teacher[chosen], data.train_labels[chosen], settings)
        loss.backward()
        return float(loss.detach())

    descend(
        material,
        list(student.parameters()),
        backward,
        len(data.train_inputs),
        steps=settings.steps,
        learning_rate=settings.learning_rate,
        batch_size=settings.batch_size,
    )
    return material.refreshed(student.eval())


def _loss(logits: "Tensor", teacher: "Tensor", labels: "Tensor", settings: DistillationSettings) -> "Tensor":
    from torch.nn import functional

    softened = functional.log_softmax(logits / settings.temperature, 1)
    apart = functional.kl_div(softened, teacher, reduction="batchmean", log_target=True)
    task = functional.cross_entropy(logits, labels)
    return settings.alpha * settings.temperature**2 * apart + (1 - settings.alpha) * task


def _teacher(material: Material, temperature: float) -> "Tensor":
    """Return the log of the sources' mean ``softmax(f_k(x) / T)`` [N, classes] on the training inputs."""
    import torch

    from softmerge_core.evaluation import predict

    inputs = merge_data(material).train_inputs
    each = torch.stack([(predict(source, inputs) / temperature).log_softmax(1) for source in material.sources])
    return each.logsumexp(0).log_softmax(1)


def _start(material: Material, start: str) -> "nn.Module":
    import copy

    from softmerge_core.evaluation import best_source
    from softmerge_core.flat import plain_average

    if start == "average":
        return plain_average(material.sources, material.batchnorm_inputs).requires_grad_(True)
    data = merge_data(material)
    best = best_source(material.sources, data.validation_inputs, data.validation_labels)
    return copy.deepcopy(material.sources[best]).requires_grad_(True)


METHOD = Method(
    name="distillation",
    title="Distillation",
    summary="Trains one network to predict what all sources predict together.",
    paper="Hinton, Vinyals, Dean 2015, arXiv 1503.02531",
    needs=frozenset({"inputs", "labels"}),
    settings=DistillationSettings,
    merge=merge,
    idempotent=False,  # learning from labels changes even a student that equals its teachers
    random=True,
)
