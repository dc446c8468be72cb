"""Soft merging, then fine-tuning: trains gates first, and then the weights of what they give."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import merge_data, softly_merged, tuned
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import nn


class SoftFineTuningSettings(Settings):
    """The training after soft merging, which has its usual settings."""

    epochs: int = setting(2, "Epochs", "How many times training goes through all samples.", ge=1, le=10_000)
    learning_rate: float = setting(0.003, "Learning rate", "Adam's step size.", gt=0, le=1)
    batch_size: int = setting(128, "Batch size", "Training samples in each step.", ge=1, le=65_536, more=True)


def merge(material: Material, settings: SoftFineTuningSettings) -> "nn.Module":
    """Return the soft merge, trained on cross-entropy with the labels that its gates were trained with."""
    return tuned(material, softly_merged(material, merge_data(material)), **settings.model_dump())


METHOD = Method(
    name="soft_fine_tuning",
    title="Soft, then fine-tuned",
    short="Soft, tuned",
    summary="Merges softly, then trains the merged network for a few epochs: what gates and training give together.",
    paper="Chen, Wu, Nguyen, Liu, Yesha 2023, arXiv 2309.12259",
    needs=frozenset({"inputs", "labels"}),
    settings=SoftFineTuningSettings,
    merge=merge,
    ordered=True,
    idempotent=False,
    random=True,
)
