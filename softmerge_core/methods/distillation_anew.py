"""Distillation from random weights: the same training as distillation, of a network that has learned nothing yet."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.distillation import TeachingSettings, own_weights, taught
from softmerge_core.methods.shared import draw_seed

if TYPE_CHECKING:
    from torch import nn


def merge(material: Material, settings: TeachingSettings) -> "nn.Module":
    """Return a student that begins at random weights, trained by all sources and by labels."""
    from softmerge_core.methods.modules.student import drawn_anew

    student = drawn_anew(own_weights(material), draw_seed(material))
    return taught(material, student, settings, alpha=settings.alpha, temperature=settings.temperature)


METHOD = Method(
    name="distillation_anew",
    title="Distillation from scratch",
    short="Distilled from scratch",
    summary="Distillation into new random weights: how much of it a source's own weights are worth.",
    paper="Hinton, Vinyals, Dean 2015, arXiv 1503.02531",
    needs=frozenset({"inputs", "labels"}),
    settings=TeachingSettings,
    merge=merge,
    across="architectures",
    idempotent=False,
    random=True,
)
