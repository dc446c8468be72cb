"""How many steps and evaluations a merge may still take, at least and at most. Loads no torch.

Stages of "auto" end when they no longer improve, so only the ends of the range are known beforehand.
"""

from typing import NamedTuple

PATIENCE = 4  # evaluations in a row that do not lower the validation loss, after which a stage of "auto" ends
LONG_PATIENCE = 12  # ... of channel gates that noise has made worse at first, and that may yet come below their start


class Budget(NamedTuple):
    """Steps and evaluations to come."""

    steps: int = 0
    evaluations: int = 0

    def plus(self, other: "Budget") -> "Budget":
        """Both together."""
        return Budget(self.steps + other.steps, self.evaluations + other.evaluations)


class Range(NamedTuple):
    """What is to come at least and at most."""

    least: Budget = Budget()
    most: Budget = Budget()

    def plus(self, other: "Range") -> "Range":
        """Both together."""
        return Range(self.least.plus(other.least), self.most.plus(other.most))


def stage_budget(steps: int, every: int, *, patient: bool, waits: int = PATIENCE, needless: bool = False) -> Range:
    """What a stage with ``steps`` left takes, evaluated ``every`` so many.

    A ``patient`` one (of "auto") may end after ``waits`` evaluations that bring nothing; one that may turn out
    ``needless`` need not begin at all.
    """
    whole = Budget(steps, -(-steps // every) + 1)
    if needless:
        return Range(Budget(), whole)
    early = min(steps, waits * every) if patient else steps
    return Range(Budget(early, -(-early // every) + 1), whole)


def stages_of_auto(sizes: tuple[int, ...]) -> int:
    """How many stages "auto" has for so many parts of the model, its modules, layers and channels, coarse to fine.

    A partition that is the same as the finer one is left out, but not the coarsest; fresh channel gates come last.
    """
    left_out = sum(sizes[place] == sizes[place + 1] for place in range(1, len(sizes) - 1))
    return len(sizes) - left_out + 1
