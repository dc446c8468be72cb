"""What a class answered, and who moved between its two votes."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

Vote = Mapping[str, float]  # answers by token
STILL = 1e-9  # of the distance to the truth: no move


class Moves(NamedTuple):
    """Students who answered twice, where one option is right; ``once``: those who answered in one vote alone."""

    to_right: int = 0
    away: int = 0
    stayed_right: int = 0
    stayed_wrong: int = 0
    other_wrong: int = 0
    once: int = 0

    @property
    def both(self) -> int:
        """How many answered twice."""
        return sum(self[:5])


class Nearer(NamedTuple):
    """The same where a number is asked for: whose second answer is nearer to the truth than the first."""

    nearer: int = 0
    farther: int = 0
    stayed: int = 0
    once: int = 0

    @property
    def both(self) -> int:
        """How many answered twice."""
        return sum(self[:3])


def counts(vote: Vote, options: int) -> list[int]:
    """How many chose each of the options."""
    found = [0] * options
    for value in vote.values():
        found[int(value)] += 1
    return found


def moves(first: Vote, second: Vote, right: int) -> Moves:
    """Who moved to the right option, or away from it."""
    found = dict.fromkeys(Moves._fields, 0) | {"once": len(first.keys() ^ second.keys())}
    for before, after in both(first, second):
        if before == right:
            found["stayed_right" if after == right else "away"] += 1
        elif after == right:
            found["to_right"] += 1
        else:
            found["stayed_wrong" if after == before else "other_wrong"] += 1
    return Moves(**found)


def nearer(first: Vote, second: Vote, truth: float) -> Nearer:
    """Who moved nearer to the truth, or farther away."""
    found = dict.fromkeys(Nearer._fields, 0) | {"once": len(first.keys() ^ second.keys())}
    for before, after in both(first, second):
        gain = abs(before - truth) - abs(after - truth)
        found["stayed" if abs(gain) <= STILL else "nearer" if gain > 0 else "farther"] += 1
    return Nearer(**found)


def both(first: Vote, second: Vote) -> Iterator[tuple[float, float]]:
    """(first, second) answer of everyone who answered twice, in the order of the first vote."""
    return ((value, second[token]) for token, value in first.items() if token in second)
