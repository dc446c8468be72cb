"""The pace of a merge: what its steps and evaluations have taken, and from that how long it will still take."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from softmerge_core.merging.budget import Budget, Range

MEMORY = 0.9  # the weight of what was known before each new step: the last ten or so tell the pace
ENDINGS = 3  # evaluations that the end takes beside one for each source


class Pace:
    """Running means of the seconds of steps, by the granularity of their gates, and of evaluations."""

    def __init__(self, sources: int) -> None:
        self.sources = sources
        self.steps: dict[str, float] = {}
        self.evaluation = 0.0
        self._last = ""

    @contextmanager
    def step(self, granularity: str) -> Iterator[None]:
        """Count what is done inside as one step."""
        begun = time.monotonic()
        yield
        took = time.monotonic() - begun
        before = self.steps.get(granularity)
        self.steps[granularity] = took if before is None else MEMORY * before + (1 - MEMORY) * took
        self._last = granularity

    @contextmanager
    def evaluated(self) -> Iterator[None]:
        """Count what is done inside as one evaluation."""
        begun = time.monotonic()
        yield
        took = time.monotonic() - begun
        self.evaluation = (self.evaluation + took) / 2 if self.evaluation else took

    def seconds(self, granularity: str, budget: Budget) -> float:
        """How long so many steps on gates of this granularity, and so many evaluations, will take."""
        each = self.steps.get(granularity, self.steps.get(self._last, 0.0))
        return budget.steps * each + budget.evaluations * self.evaluation

    def left(self, stages: list[tuple[str, Range]]) -> tuple[float, float] | None:
        """Seconds to the end, at least and at most, of (granularity, what is to come); None before the first step."""
        if not self.steps:
            return None
        end = (self.sources + ENDINGS) * self.evaluation
        least = sum(self.seconds(granularity, found.least) for granularity, found in stages)
        most = sum(self.seconds(granularity, found.most) for granularity, found in stages)
        return least + end, most + end
