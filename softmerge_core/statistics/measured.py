"""The test accuracies of one method: one network a seed, all on the same test samples."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from softmerge_core.statistics.correctness import unpack


@dataclass(frozen=True)
class Measured:
    """``accuracies`` (0-1), one a seed, each on the same ``samples`` test samples (0: their number is not known).

    ``correct``: for each seed, which samples its network gets right, as ``pack`` writes it; empty or "" where nobody
    wrote it down. A method without random choices has one network and one seed.
    """

    accuracies: tuple[float, ...]
    samples: int = 0
    correct: tuple[str, ...] = ()

    @property
    def seeds(self) -> int:
        """The number of networks."""
        return len(self.accuracies)

    @property
    def mean(self) -> float:
        """The mean accuracy (0-1) over seeds; NaN without any."""
        return sum(self.accuracies) / self.seeds if self.seeds else float("nan")

    @cached_property
    def right(self) -> np.ndarray | None:
        """[seeds, N]: 1.0 where a network gets a sample right, else 0.0; None where that is not known."""
        found = [unpack(text) for text in self.correct]
        known = [bits for bits in found if bits is not None]
        if not known or len(known) != self.seeds or len({len(bits) for bits in known}) > 1:
            return None
        return np.stack(known).astype(float)

    @property
    def n(self) -> int:
        """The number of test samples, from ``correct`` where it is there; 0 where it is not known."""
        return self.samples if self.right is None else self.right.shape[1]
