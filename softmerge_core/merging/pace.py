"""The pace of a merge: what its steps and evaluations have taken, and from that how long it will still take."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from softmerge_core.merging.budget import Budget, Range

MEMORY = 0.9  # the weight of what was known before each new step: the last ten or so tell the pace


class Ahead(NamedTuple):
    """What the caller of a merge knows of its time.

    ``seconds``: what all of it will take, at least and at most, told until the first step is done; None where nobody
    knows. ``samples``: how many the caller lets networks of this architecture compute when the merge is over.
    """

    seconds: tuple[float, float] | None = None
    samples: int = 0


NOTHING_KNOWN = Ahead()


class Pace:
    """Running means of the seconds of steps, by the granularity of their gates, and of evaluations.

    ``end``: what is computed when training is over takes as long as so many evaluations.
    """

    def __init__(self, end: float = 0.0) -> None:
        self.end = end
        self.steps: dict[str, float] = {}
        self.evaluation = 0.0
        self._counted = Counter[str]()
        self._last = ""

    @contextmanager
    def step(self, granularity: str) -> Iterator[None]:
        """Count what is done inside as one step."""
        begun = time.monotonic()
        yield
        took = time.monotonic() - begun
        self._counted[granularity] += 1  # the first step often takes longer: it counts no more than those after it
        memory = min(MEMORY, 1 - 1 / self._counted[granularity])
        self.steps[granularity] = memory * self.steps.get(granularity, 0.0) + (1 - memory) * took
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
        """Seconds to the end, at least and at most, of (granularity, what is to come); None before the first step.

        What is kept of a stage is evaluated once more when it is over.
        """
        if not self.steps:
            return None
        least, most = ([(granularity, found[end]) for granularity, found in stages] for end in (0, 1))
        return self._whole(least), self._whole(most)

    def _whole(self, stages: list[tuple[str, Budget]]) -> float:
        kept = sum(budget.evaluations > 0 for _, budget in stages)
        return sum(self.seconds(*stage) for stage in stages) + (kept + self.end) * self.evaluation
