"""Turns are fair: nobody waits for more than a run of each other person."""

from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.runs.turns import Turns


def order(turns: Turns, waiting: list[str]) -> list[str]:
    """The runs in the order in which they will be begun."""
    return sorted(waiting, key=lambda run: turns.before(run, lambda _: False) or 0)


def test_runs_of_one_person_are_begun_in_the_order_in_which_they_came() -> None:
    turns = Turns()
    runs = [f"a{number}" for number in range(5)]
    for run in runs:
        turns.enter(run, "a")
    assert order(turns, runs) == runs
    assert [turns.before(run, lambda _: False) for run in runs] == [0, 1, 2, 3, 4]
    assert turns.before("a3", {"a0", "a1"}.__contains__) == 1
    assert turns.before("gone", lambda _: False) is None


def test_who_comes_later_with_one_run_waits_for_one_of_the_others() -> None:
    turns = Turns()
    for number in range(10):
        turns.enter(f"a{number}", "a")
    turns.enter("b0", "b")
    assert turns.before("b0", lambda _: False) == 1
    turns.leave("a0")
    turns.leave("a1")
    turns.enter("c0", "c")
    assert turns.before("c0", lambda _: False) == 1  # only b's


def test_a_run_keeps_its_turn() -> None:
    turns = Turns()
    first = turns.enter("a0", "a")
    turns.enter("a1", "a")
    assert turns.enter("a0", "a") == first


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=60))
def test_nobody_waits_for_more_than_two_runs_of_each_other_person_before_the_first_of_their_own(
    steps: list[tuple[str, bool]],
) -> None:
    turns, waiting = Turns(), list[str]()
    for number, (owner, ends) in enumerate(steps):
        if ends and waiting:
            first = order(turns, waiting)[0]
            waiting.remove(first)
            turns.leave(first)
        run = f"{owner}{number}"
        turns.enter(run, owner)
        waiting.append(run)
        mine = [each for each in waiting if each[0] == owner]
        ahead = order(turns, waiting)[: (turns.before(mine[0], lambda _: False) or 0)]
        assert all(each[0] != owner for each in ahead)
        assert all(sum(each[0] == other for each in ahead) <= 2 for other in "abc")
