"""What can be set about alignment. Loads no torch."""

from typing import Literal

from softmerge_core.settings import Settings, setting

How = Literal["none", "weights", "activations"]


class AlignSettings(Settings):
    """Whether and how sources are brought into one order of units before they are merged."""

    how: How = setting(
        "none",
        "Align first",
        "Reorder each source's units to match the first one's, by their weights or by their activations on the inputs.",
    )
    reference: int = setting(
        0, "Reference", "The source whose order the others take, counted from 0.", ge=0, le=10_000, more=True
    )
    to_mean: bool = setting(
        True,
        "Match to the mean",
        "With more than two sources, go on matching each to the mean of the others (by weights alone).",
        more=True,
    )
    repair: bool = setting(
        False,
        "Repair statistics",
        "After an average, restore each channel's mean and spread to what the sources have on the inputs.",
    )
    seed: int = setting(
        0, "Seed", "Starts the order in which groups of units are matched.", ge=0, le=2**31 - 1, more=True
    )

    @property
    def needs(self) -> frozenset[str]:
        """What must be looked at besides the weights: {"inputs"} or nothing. Labels never are."""
        return frozenset({"inputs"} if self.how == "activations" or self.repair else ())
