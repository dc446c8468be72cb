"""The result of a comparison, as pages read it."""

from typing import Literal, Self

from pydantic import Field, model_validator

from softmerge_core.experiments.base import Result, Share


class Accuracy(Result):
    """An accuracy (0-1): its ``mean`` over seeds, the ``values`` of these, and its bar where that is known."""

    mean: Share
    values: list[Share] | None = Field(None, min_length=1)
    half: float | None = None
    low: Share | None = None
    high: Share | None = None
    of: Literal["samples", "seeds", "both"] | None = None
    samples: int | None = Field(None, ge=0, le=2**53)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        told = self.model_fields_set
        bar = {"low", "high", "of", "samples"}
        if "low" in told and (not bar <= told or None in (self.low, self.high, self.of, self.samples)):
            raise ValueError("expected a bar with both ends, and what it is of")
        if "samples" in told and self.samples is None:
            raise ValueError("expected a number of samples")
        return self


class Mean(Result):
    """A measure's mean over seeds; None where it is not finite."""

    mean: float | None


class Calibration(Result):
    """The mean calibration error (0-1)."""

    mean: Share


class Row(Result):
    """What one method or source reached, or its ``problem``."""

    method: str
    title: str = ""
    needs: list[str] = Field(default_factory=list)
    reference: bool = False
    problem: str | None = None
    accuracy: Accuracy | None = None
    loss: Mean | None = None
    calibration: Calibration | None = None
    took: Mean | None = None
    memory: Mean | None = None
    correct: list[str] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        costs = (self.took, self.memory) if "title" in self.model_fields_set else ()
        if self.accuracy and None in (self.loss, self.calibration, *costs):
            raise ValueError("expected all measures beside an accuracy")
        if "title" in self.model_fields_set and "reference" not in self.model_fields_set:
            raise ValueError("expected whether the method is a reference")
        return self


class CompareResult(Result):
    """The result of a comparison: one row a method and source."""

    rows: list[Row]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len({row.method for row in self.rows}) < len(self.rows):
            raise ValueError("expected one row a method")
        return self
