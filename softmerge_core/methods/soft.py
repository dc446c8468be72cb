"""Soft merging: trains gates over the frozen sources, never a weight."""

from typing import TYPE_CHECKING

from softmerge_core.methods.base import Material, Method
from softmerge_core.methods.shared import merge_data, softly_merged
from softmerge_core.settings import Granularity, Settings, setting

if TYPE_CHECKING:
    from torch import nn


class SoftSettings(Settings):
    """The most important settings of soft merging; SoftMergeSettings has all of them."""

    granularity: Granularity = setting(
        "auto",
        "Granularity",
        "The part of the network that one gate controls. Auto goes from coarse to fine and keeps what validates best.",
    )
    penalty: float = setting(0.002, "Penalty", "The price of an open gate.", ge=0, le=10)
    steps: int = setting(
        400, "Steps of each stage", "Training steps of each stage: auto has up to five, else there is one.",
        ge=1, le=100_000,
    )  # fmt: skip
    learning_rate: float = setting(
        0.1,
        "Learning rate",
        "The optimiser's step size for gate logits, the log-odds that gates are open.",
        gt=0,
        le=10,
    )


def merge(material: Material, settings: SoftSettings) -> "nn.Module":
    """Return the network of ``soft_merge``; a source whose outputs overflow is left out instead of refused."""
    return softly_merged(material, merge_data(material), **settings.model_dump())


METHOD = Method(
    name="soft",
    title="Soft merge",
    short="Soft",
    summary="Learns which source each part of the network should come from by training gates, never a weight.",
    paper="Chen, Wu, Nguyen, Liu, Yesha 2023, arXiv 2309.12259",
    needs=frozenset({"inputs", "labels"}),
    settings=SoftSettings,
    merge=merge,
    ordered=True,  # the noise depends on a source's place in the order
    random=True,
)
