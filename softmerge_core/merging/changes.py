"""Changes of a merge's settings on its way: from which step on what holds. Loads no torch."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Self

from pydantic import model_validator

from softmerge_core.errors import RunError, SettingsError
from softmerge_core.settings import Frozen, LearningRate, Penalty, SoftMergeSettings, Temperature, setting

CHANGEABLE = ("penalty", "learning_rate", "temperature")
LAST = 2**31 - 1  # step that anybody can mean


class NewSettings(Frozen):
    """What a merge goes on with; None leaves a setting as it is. At least one is new."""

    penalty: Penalty | None = setting(None, "Penalty", "The price of an open gate from then on.")
    learning_rate: LearningRate | None = setting(None, "Learning rate", "The optimiser's step size from then on.")
    temperature: Temperature | None = setting(None, "Temperature", "The hard concrete's beta from then on.")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.values():
            raise ValueError(f"expected a new value for one of {', '.join(CHANGEABLE)}")
        return self

    def values(self) -> dict[str, float]:
        """The new values by the names of the settings."""
        return {name: value for name in CHANGEABLE if (value := getattr(self, name)) is not None}


class Change(NewSettings):
    """New settings that hold for all training steps after the first ``step`` of the whole run, whatever the stage."""

    step: int = setting(..., "Step", "The steps that are done before the new settings hold.", ge=0, le=LAST)


def in_force(settings: SoftMergeSettings, changes: Iterable[Change], step: int) -> SoftMergeSettings:
    """The settings that hold for the training step after the first ``step``."""
    values = [change.values() for change in changes if change.step <= step]
    return settings.model_copy(update={name: value for each in values for name, value in each.items()})


def until(changes: Iterable[Change], step: int) -> tuple[Change, ...]:
    """The changes that hold at ``step``; what was to come later is cut off."""
    return tuple(change for change in changes if change.step <= step)


def with_change(changes: Iterable[Change], change: Change) -> tuple[Change, ...]:
    """The changes up to the step of a new one, which joins one at the same step; what was to come later is cut off."""
    known = until(changes, change.step)
    if known and known[-1].step == change.step:
        return (*known[:-1], known[-1].model_copy(update=change.values()))
    return (*known, change)


def effective(settings: SoftMergeSettings, changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes without the values that held before them already."""
    found = []
    for change in changes:
        new = {name: value for name, value in change.values().items() if getattr(settings, name) != value}
        if new:
            found.append(Change(step=change.step, **new))
        settings = settings.model_copy(update=new)
    return tuple(found)


def told(settings: SoftMergeSettings, changes: Iterable[Change]) -> Iterator[tuple[int, str, float, float]]:
    """(step, setting, value before, value after) of all that changes."""
    for change in effective(settings, changes):
        for name, value in change.values().items():
            yield change.step, name, getattr(settings, name), value
        settings = settings.model_copy(update=change.values())


def check_changes(changes: Sequence[Change], steps: int) -> None:
    """Raise SettingsError unless the steps of ``changes`` rise, and all are before the last of so many ``steps``."""
    for before, change in pairwise(changes):
        if change.step <= before.step:
            raise SettingsError(
                f"changes: expected each at a later step than the one before, got {change.step:,} after {before.step:,}"
            )
    if changes and changes[-1].step >= steps:
        last = changes[-1].step
        raise SettingsError(f"changes: expected steps of this merge, {steps - 1:,} at most, got step {last:,}")


class Course:
    """The settings of a merge as it goes on: ``now`` hold; ``taken`` are the changes that are in them.

    ``take`` is asked for a change that nobody knew of before; see ``soft_merge``.
    """

    def __init__(
        self, settings: SoftMergeSettings, changes: Sequence[Change], take: Callable[[int], Change | None] | None
    ) -> None:
        self.settings, self.changes, self.take = settings, tuple(changes), take
        self.now, self.taken = settings, ()  # type: SoftMergeSettings, tuple[Change, ...]

    def restore(self, taken: Sequence[dict[str, Any]]) -> None:
        """Take the changes that a snapshot has seen, as ``plain``; raises RunError where it is of another course."""
        seen = tuple(map(Change.model_validate, taken))
        if seen != self.changes[: len(seen)]:
            raise RunError("the snapshot is of a merge with other changes of its settings; start the run again")
        self._hold(seen)

    def plain(self) -> list[dict[str, Any]]:
        """The changes taken so far as plain values."""
        return [change.model_dump() for change in self.taken]

    def due(self, step: int) -> bool:
        """Whether other settings hold for the training step after ``step``: those that are ``now`` from then on."""
        earliest = max(step, self.taken[-1].step + 1) if self.taken else step
        if self.take and (change := self.take(earliest)):
            self.changes = with_change(self.changes, change)
        seen = until(self.changes, step)
        if len(seen) <= len(self.taken):
            return False
        self._hold(seen)
        return True

    def missed(self) -> list[str]:
        """A sentence for each change that was not taken."""
        left = self.changes[len(self.taken) :]
        return [f"The settings for step {each.step:,} never held: the merge ended before it." for each in left]

    def _hold(self, taken: tuple[Change, ...]) -> None:
        self.taken, self.now = taken, in_force(self.settings, taken, LAST)
