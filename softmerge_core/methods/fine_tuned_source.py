"""A fine-tuned source: the control of distillation, trained as long on the same samples, without any other source."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.distillation import StudentSettings, own_weights, taught

if TYPE_CHECKING:
    from torch import nn


def merge(material: Material, settings: StudentSettings) -> "nn.Module":
    """Return the student of distillation, trained on cross-entropy alone."""
    return taught(material, own_weights(material), settings, alpha=0)


METHOD = Method(
    name="fine_tuned_source",
    title="Fine-tuned source",
    summary="No merge: one source, trained on as long as in distillation, shows what is gained without the others.",
    paper="",
    needs=frozenset({"inputs", "labels"}),
    settings=StudentSettings,
    merge=merge,
    across="architectures",
    idempotent=False,
    random=True,
)
