"""Settings that change on the way of a merge: cut and joined as they should be, and the same bits however they come."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softmerge_core.errors import RunError, SettingsError
from softmerge_core.merging.changes import (
    Change,
    NewSettings,
    check_changes,
    effective,
    in_force,
    told,
    until,
    with_change,
)
from softmerge_core.merging.result import MergeResult
from softmerge_core.merging.snapshots import fits
from softmerge_core.merging.soft import soft_merge
from softmerge_core.settings import SoftMergeSettings, parse
from tests.merging.test_soft import make_data, make_sources, quick, same, train_sources

VALUES = st.fixed_dictionaries(
    {}, optional={"penalty": st.sampled_from([0.0, 0.002, 1.0]), "learning_rate": st.just(0.3)}
)
PLANS = st.dictionaries(st.integers(0, 30), VALUES.filter(bool), max_size=6).map(
    lambda found: tuple(Change(step=step, **values) for step, values in sorted(found.items()))
)
BEGINNING = SoftMergeSettings()
FEWER = settings(max_examples=settings().max_examples // 2)


@FEWER
@given(PLANS, st.integers(0, 30), VALUES.filter(bool), st.integers(0, 40))
def test_a_new_change_leaves_what_was_before_and_is_all_that_comes_after(
    plan: tuple[Change, ...], step: int, values: dict[str, Any], seen: int
) -> None:
    made = with_change(plan, Change(step=step, **values))
    check_changes(made, 31)
    if seen < step:
        assert in_force(BEGINNING, made, seen) == in_force(BEGINNING, plan, seen)
    else:
        wanted = in_force(BEGINNING, plan, step).model_copy(update=values)
        assert in_force(BEGINNING, made, seen) == wanted
    assert with_change(made, Change(step=step, **values)) == made


@FEWER
@given(PLANS, st.integers(0, 30), st.integers(0, 40))
def test_a_cut_plan_stays_as_it_is_at_its_end(plan: tuple[Change, ...], step: int, seen: int) -> None:
    assert in_force(BEGINNING, until(plan, step), seen) == in_force(BEGINNING, plan, min(step, seen))


@FEWER
@given(PLANS, st.integers(0, 40))
def test_what_changes_nothing_has_no_effect(plan: tuple[Change, ...], seen: int) -> None:
    short = effective(BEGINNING, plan)
    assert in_force(BEGINNING, short, seen) == in_force(BEGINNING, plan, seen)
    assert all(before != after for _, _, before, after in told(BEGINNING, plan))
    assert effective(BEGINNING, short) == short


@pytest.mark.parametrize(
    ("model", "values", "words"),
    [
        (Change, {"step": 3}, "expected a new value for one of penalty, learning_rate, temperature"),
        (Change, {"step": -1, "penalty": 1}, "Step: expected at least 0, got -1"),
        (Change, {"step": 3, "penalty": -1}, "Penalty: expected at least 0, got -1"),
        (NewSettings, {"temperature": 9}, "Temperature: expected at most 5, got 9"),
        (NewSettings, {"learning_rate": 0}, "Learning rate: expected more than 0, got 0"),
        (NewSettings, {"seed": 1}, "seed: there is no such setting"),
    ],
)
def test_values_outside_the_limits_are_refused(model: type[NewSettings], values: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        parse(model, values, "change")


@pytest.mark.parametrize(
    ("steps", "words"),
    [((5, 5), "later step than the one before, got 5 after 5"), ((12,), "11 at most, got step 12")],
)
def test_steps_that_do_not_rise_or_never_come_are_refused_before_any_work(steps: tuple[int, ...], words: str) -> None:
    data, told_events = make_data(), []  # type: ignore[var-annotated]
    changes = [Change(step=step, penalty=1) for step in steps]
    with pytest.raises(SettingsError, match=words):
        soft_merge(make_sources("perceptron", 2), data, quick("layer"), changes=changes, on_event=told_events.append)
    assert told_events == []


# -- bits -----------------------------------------------------------------------------------------------------------


class Trail:
    """A merge of three small sources by "auto" with all its snapshots: 12 steps a stage, evaluated every 4."""

    def __init__(self) -> None:
        self.data = make_data()
        self.sources = train_sources("convolutional", 3, self.data)
        self.plain = self.merge()[0]

    def merge(self, *changes: Change, **more: Any) -> tuple[MergeResult, list[bytes]]:
        kept: list[bytes] = []
        own = quick("auto", rescale=True)
        found = soft_merge(self.sources, self.data, own, changes=changes, on_snapshot=kept.append, **more)
        return found, kept


@pytest.fixture(scope="module")
def trail() -> Trail:
    return Trail()


def alike(one: MergeResult, other: MergeResult) -> bool:
    """Whether two merges are one, to the bit: gates, network, scores and all that was rescaled alone."""
    nets = [one.model, *one.controls.values()], [other.model, *other.controls.values()]
    return (
        (one.gates, one.winner, one.reason, one.candidates, one.changes)
        == (other.gates, other.winner, other.reason, other.candidates, other.changes)
        and all(same(mine.state_dict(), theirs.state_dict()) for mine, theirs in zip(*nets, strict=True))
    )  # fmt: skip


@pytest.mark.parametrize("step", [0, 12, 26])  # at the beginning, at a border of stages and in one
def test_a_change_on_the_way_and_one_that_was_planned_end_with_the_same_bits(trail: Trail, step: int) -> None:
    change = Change(step=step, penalty=0.5, learning_rate=0.02, temperature=0.3)
    planned, snapshots = trail.merge(change)
    assert planned.changes == (change,)

    def take(now: int) -> Change | None:
        return Change(step=now, **change.values()) if now == step else None

    live, _ = trail.merge(Change(step=step + 1, penalty=9), take_change=take)  # the one to come is dropped
    assert alike(live, planned)
    for snapshot in snapshots[1 :: len(snapshots) // 2]:
        assert alike(trail.merge(change, snapshot=snapshot)[0], planned)
    assert not alike(planned, trail.plain)  # so that the equality above says something


def test_a_branch_from_any_snapshot_is_the_whole_merge(trail: Trail) -> None:
    first, second = Change(step=7, penalty=0.3), Change(step=26, learning_rate=0.01)
    whole, _ = trail.merge(first)
    _, parents = trail.merge(first, second)
    good = [snapshot for snapshot in parents if fits(snapshot, [first])]
    assert 0 < len(good) < len(parents)  # those after the second change are of another course
    for snapshot in good[::3]:
        assert alike(trail.merge(first, snapshot=snapshot)[0], whole)
    with pytest.raises(RunError, match="other changes"):
        trail.merge(first, snapshot=parents[-1])


def test_a_change_that_never_came_is_told(trail: Trail) -> None:
    still = quick("auto", evaluate_every=1, learning_rate=1e-9)  # each stage ends as soon as it may
    found = soft_merge(trail.sources, trail.data, still, changes=[Change(step=40, penalty=1)])
    assert found.changes == ()
    assert any("settings for step 40 never held" in getattr(event, "text", "") for event in found.history)


def test_the_temperature_of_its_own_time_tells_how_likely_gates_are_open(trail: Trail) -> None:
    own = quick("layer")
    plain = soft_merge(trail.sources, trail.data, own)
    late = soft_merge(trail.sources, trail.data, own, changes=[Change(step=11, temperature=4)])
    assert late.gates.probability != plain.gates.probability


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 half a file"])
def test_a_damaged_snapshot_fits_nothing(damage: bytes) -> None:
    assert not fits(damage, ())
