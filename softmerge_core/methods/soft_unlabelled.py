"""Soft merging without labels: trains gates to predict what the sources predict together."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import given, softly_merged
from softmerge_core.settings import Settings, setting

if TYPE_CHECKING:
    from torch import Tensor, nn


class SoftUnlabelledSettings(Settings):
    """The most important settings of soft merging; it has its usual ones besides."""

    penalty: float = setting(0.002, "Penalty", "The price of an open gate.", ge=0, le=10)
    steps: int = setting(
        400, "Steps of each stage", "Training steps of each stage, of which there are up to five.", ge=1, le=100_000
    )


def merge(material: Material, settings: SoftUnlabelledSettings) -> "nn.Module":
    """Return the network of ``soft_merge`` whose outputs come closest to the mean of the sources' probabilities."""
    from softmerge_core.data.base import MergeData

    train, validation = given(material.train_inputs), given(material.validation_inputs)
    data = MergeData(train, _together(material, train), validation, _together(material, validation))
    return softly_merged(material, data, objective="ensemble", **settings.model_dump())


def _together(material: Material, inputs: "Tensor") -> "Tensor":
    """Return what the sources predict together [N], which stands where the labels would."""
    from softmerge_core.evaluation import ensemble_log_probabilities

    return ensemble_log_probabilities(material.sources, inputs).argmax(1)


METHOD = Method(
    name="soft_unlabelled",
    title="Soft without labels",
    short="Soft, no labels",
    summary="Trains gates, never a weight, until the merged network predicts what its sources predict together.",
    paper="Chen, Wu, Nguyen, Liu, Yesha 2023, arXiv 2309.12259; matching an ensemble: Hinton, Vinyals, Dean 2015",
    needs=frozenset({"inputs"}),
    settings=SoftUnlabelledSettings,
    merge=merge,
    ordered=True,  # the noise depends on a source's place in the order
    random=True,
)
