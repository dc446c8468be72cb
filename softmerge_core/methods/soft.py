"""Soft merging: gates over the frozen sources are trained, never a weight."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import draw_seed, merge_data
from softmerge_core.settings import Granularity, Settings, SoftMergeSettings, setting

if TYPE_CHECKING:
    from torch import nn


class SoftSettings(Settings):
    """The few of soft merging's settings that change most; see SoftMergeSettings for all."""

    granularity: Granularity = setting(
        "auto", "Granularity", "What one gate covers; auto goes from coarse to fine and keeps what validates best."
    )
    penalty: float = setting(0.002, "Penalty", "Price of an open gate.", ge=0, le=10)
    steps: int = setting(400, "Steps", "Gate-training steps of each stage.", ge=1, le=100_000)
    learning_rate: float = setting(0.1, "Learning rate", "Step size of the gate logits' optimiser.", gt=0, le=10)


def merge(material: Material, settings: SoftSettings) -> "nn.Module":
    """The network ``soft_merge`` returns; a source whose outputs overflow is left out instead of refused."""
    from softmerge_core.merging.soft import soft_merge

    full = SoftMergeSettings(**settings.model_dump(), seed=draw_seed(material), non_finite="exclude")
    result = soft_merge(
        material.sources, merge_data(material), full, names=material.names, should_stop=material.should_stop
    )
    return material.refreshed(result.model)


METHOD = Method(
    name="soft",
    title="Soft merge",
    short="Soft",
    summary="Learns which source each part of the network should come from by training gates, never a weight.",
    paper="Chen, Wu, Nguyen, Liu, Yesha 2023, arXiv 2309.12259",
    needs=frozenset({"inputs", "labels"}),
    settings=SoftSettings,
    merge=merge,
    idempotent=False,  # a part may learn a scale of its own
    ordered=True,  # each place in the order has noise of its own
    random=True,
)
