"""The result of a merge, as pages read it."""

from typing import Self

from pydantic import Field, model_validator

from softmerge_core.experiments.base import Result, Share
from softmerge_core.numbers import same_length


class Samples(Result):
    """The number of samples of each split that the accuracies were measured on."""

    test: int = Field(ge=1, le=2**53)


class Shares(Result):
    """Accuracies (0-1) of every network of a merge; None where there is none.

    Those rescaled alone are its controls; the trunk that all sources started from and the network of joint training
    are there for families that have them.
    """

    soft: Share | None = None
    average: Share | None = None
    best_source: Share | None = None
    ensemble: Share | None = None
    best_source_rescaled: Share | None = None
    average_rescaled: Share | None = None
    trunk: Share | None = None
    joint: Share | None = None
    sources: list[Share | None] | None = None


class Right(Result):
    """Which test samples each network gets right, as ``statistics.pack`` writes them."""

    soft: str | None = None
    average: str | None = None
    best_source: str | None = None
    ensemble: str | None = None
    best_source_rescaled: str | None = None
    average_rescaled: str | None = None
    trunk: str | None = None
    joint: str | None = None
    sources: list[str] | None = None


class Losses(Result):
    """Losses (nats) as far as they are used: that of the merged network."""

    soft: float | None = None


class Gates(Result):
    """The table of gates: its columns are sources, its rows parts; ``scale`` has the factor of each part.

    Of very many gates the rows are layers: means, of ``sizes`` gates of each source, of which so many are ``closed``
    and fully ``opened``. The whole table is among the run's weights then, under the name "gates".
    """

    parts: list[str]
    groups: list[str] | None = None
    sources: list[str] = Field(min_length=1)
    probability: list[list[float]]
    value: list[list[float]]
    weight: list[list[float]]
    scale: list[float] | None = None
    sizes: list[int] | None = None
    closed: list[list[int]] | None = None
    opened: list[list[int]] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        tables: list[list[list[float]]] = [self.probability, self.value, self.weight]
        if self.sizes:
            tables += [[list(map(float, row)) for row in table or []] for table in (self.closed, self.opened)]
        lists = (self.groups or self.parts, self.scale or self.parts, self.sizes or self.parts)
        if not same_length(self.parts, *lists, *tables):
            raise ValueError("expected a row for each part")
        if not same_length(self.sources, *(row for table in tables for row in table)):
            raise ValueError("expected a column for each source")
        return self


class MergeResult(Result):
    """The result of a merge; runs of earlier versions have less of it."""

    accuracy: Shares
    validation_accuracy: Shares | None = None
    validation_loss: Losses | None = None
    correct: Right | None = None
    samples: Samples
    source_names: list[str]
    best_source: str | None = None
    winner: str | None = None
    excluded: list[str] | None = None
    gates: Gates | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        own = [scores.sources for scores in (self.validation_accuracy, self.correct) if scores and scores.sources]
        if self.accuracy.sources is None or not same_length(self.source_names, self.accuracy.sources, *own):
            raise ValueError("expected an accuracy for each source")
        return self
