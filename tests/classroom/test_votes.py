"""Who moved: everyone who answered twice is counted once, and in the right direction."""

from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.classroom.votes import Moves, Nearer, counts, moves, nearer

TOKENS = st.sampled_from("abcdefgh")


@given(st.dictionaries(TOKENS, st.integers(0, 2)), st.dictionaries(TOKENS, st.integers(0, 2)), st.integers(0, 2))
def test_every_student_is_counted_once(first: dict[str, int], second: dict[str, int], right: int) -> None:
    found = moves(first, second, right)
    assert sum(found) == len(first.keys() | second.keys())
    assert found.both == len(first.keys() & second.keys())
    both = {token: first[token] for token in first.keys() & second.keys()}
    was, becomes = (sum(vote[token] == right for token in both) for vote in (first, second))
    assert was + found.to_right - found.away == becomes
    near = nearer(first, second, right)
    assert sum(near) == sum(found)
    assert near.nearer >= found.to_right
    assert near.farther >= found.away
    assert sum(counts(first, 3)) == len(first)


def test_each_way_to_move() -> None:
    first = {"a": 0, "b": 1, "c": 1, "d": 0, "e": 0, "f": 2}
    second = {"a": 1, "b": 0, "c": 1, "d": 0, "e": 2, "g": 1}
    assert moves(first, second, right=1) == Moves(1, 1, 1, 1, 1, 2)
    assert counts(first, 4) == [3, 2, 1, 0]
    assert nearer({"a": 0.1, "b": 0.5, "c": 0.3}, {"a": 0.2, "b": 0.9, "c": 0.3, "d": 1.0}, 0.25) == Nearer(1, 1, 1, 1)
