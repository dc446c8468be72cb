"""The time left, from the pace of steps and evaluations, on a clock of the test's own."""

import pytest

from softmerge_core.merging import pace
from softmerge_core.merging.budget import Budget, Range, stage_budget, stages_of_auto
from softmerge_core.merging.pace import Pace


class Clock:
    """Stands in for the module ``time``."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(pace, "time", found)
    return found


def test_no_pace_is_known_before_the_first_step() -> None:
    assert Pace(3).left([("layer", Range(Budget(1, 1), Budget(2, 2)))]) is None


def test_what_is_left_is_steps_and_evaluations_at_their_own_pace_and_the_end(clock: Clock) -> None:
    found = Pace(6.5)
    with found.evaluated():
        clock.now += 10
    for granularity, took in (("layer", 1.0), ("channel", 3.0)):
        for _ in range(5):
            with found.step(granularity):
                clock.now += took
    to_come = [("channel", Range(Budget(1, 1), Budget(4, 2))), ("layer", Range(Budget(0, 0), Budget(5, 1)))]
    kept, end = 10, 65  # what is kept of each stage that takes place is evaluated once more
    assert found.left(to_come) == pytest.approx((3 + 10 + kept + end, 12 + 20 + 5 + 10 + 2 * kept + end))
    assert found.left([("model", Range(Budget(2), Budget(2)))]) == pytest.approx((6 + end, 6 + end))  # as the last


def test_a_slow_first_step_counts_no_more_than_those_after_it(clock: Clock) -> None:
    found = Pace()
    for took in (9.0, 1.0, 2.0):
        with found.step("layer"):
            clock.now += took
    assert found.seconds("layer", Budget(1)) == pytest.approx(4)


def test_a_machine_that_becomes_slower_is_followed(clock: Clock) -> None:
    found = Pace()
    for took in [1.0] * 20 + [4.0] * 40:
        with found.step("layer"):
            clock.now += took
    assert found.seconds("layer", Budget(1)) == pytest.approx(4, rel=0.05)


def test_a_patient_stage_may_end_early_but_never_takes_more() -> None:
    assert stage_budget(100, 10, patient=False) == Range(Budget(100, 11), Budget(100, 11))
    assert stage_budget(100, 10, patient=True) == Range(Budget(40, 5), Budget(100, 11))
    assert stage_budget(5, 10, patient=True) == Range(Budget(5, 2), Budget(5, 2))
    assert stage_budget(100, 10, patient=True, needless=True).least == Budget()


def test_the_stages_of_auto_are_those_whose_parts_differ() -> None:
    assert stages_of_auto((1, 6, 21, 4810)) == 5
    assert stages_of_auto((1, 4, 4, 106)) == 4  # every module is one layer
    assert stages_of_auto((1, 1, 1, 9)) == 4
    assert stages_of_auto((1, 1, 1, 1)) == 3  # the model's gates come first in any case
