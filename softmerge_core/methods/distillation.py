"""Distillation: trains one network of a source's architecture to predict what all sources predict together."""

from typing import TYPE_CHECKING, Literal

from softmerge_core.errors import SourceError
from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import descend, merge_data
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn


class StudentSettings(Settings):
    """The settings of a student's training."""

    steps: int = setting(300, "Steps", "The number of training steps.", ge=1, le=100_000)
    learning_rate: float = setting(0.003, "Learning rate", "AdamW's step size.", gt=0, le=1)
    batch_size: int = setting(128, "Batch size", "Training samples in each step.", ge=1, le=65_536, more=True)


class TeachingSettings(StudentSettings):
    """The same, with what a student learns from its teachers."""

    temperature: float = setting(2.0, "Temperature", "T: higher values make all predictions softer.", ge=0.1, le=100)
    alpha: float = setting(
        0.5, "Teacher's share", "Alpha: 1 learns only from the sources, 0 only from labels.", ge=0, le=1
    )


class DistillationSettings(TeachingSettings):
    """The settings of distillation: where it begins, and its training."""

    start: Literal["average", "best_source"] = setting(
        "best_source",
        "Start",
        "Begin from the source with the lowest validation loss (or the one that is named), or from the plain average.",
    )


def merge(material: Material, settings: DistillationSettings) -> "nn.Module":
    """Return a student that begins where the settings say, trained by all sources and by labels."""
    student = _average(material) if settings.start == "average" else own_weights(material)
    return taught(material, student, settings, alpha=settings.alpha, temperature=settings.temperature)


def own_weights(material: Material) -> "nn.Module":
    """Return a copy, to be trained, of the material's target, or else of the source of the lowest validation loss."""
    import copy

    from softmerge_core.evaluation import best_source

    position = material.target
    if position is None:
        data = merge_data(material)
        position = best_source(material.sources, data.validation_inputs, data.validation_labels)
    return copy.deepcopy(material.sources[position]).requires_grad_(True)


def taught(
    material: Material, student: "nn.Module", settings: StudentSettings, *, alpha: float, temperature: float = 1
) -> "nn.Module":
    """Return ``student``, trained in place on the training samples to minimise ``loss_of``.

    Its teacher is the mean of what all sources predict, at ``temperature``; it is not asked where ``alpha`` is 0.
    """
    from softmerge_core.methods.modules.student import loss_of, teacher_of

    data = merge_data(material)
    teacher = teacher_of(material.sources, data.train_inputs, temperature) if alpha else None

    def backward(chosen: "Tensor") -> float:
        student.train(len(chosen) > 1)
        seen = None if teacher is None else teacher[chosen]
        loss = loss_of(student(data.train_inputs[chosen]), seen, data.train_labels[chosen], alpha, temperature)
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


def _average(material: Material) -> "nn.Module":
    from softmerge_core.checks import are_alike
    from softmerge_core.flat import plain_average

    if not are_alike(material.sources):
        raise SourceError("start: sources of different architectures have no average; expected best_source")
    return plain_average(material.sources, material.batchnorm_inputs).requires_grad_(True)


METHOD = Method(
    name="distillation",
    title="Distillation",
    summary="Trains one network to predict what all sources predict together.",
    paper="Hinton, Vinyals, Dean 2015, arXiv 1503.02531",
    needs=frozenset({"inputs", "labels"}),
    settings=DistillationSettings,
    merge=merge,
    across="architectures",
    idempotent=False,  # learning from labels changes even a student that equals its teachers
    random=True,
)
