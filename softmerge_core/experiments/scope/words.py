"""What a run of weight scope alignment has shown so far, in one sentence; the same live and at the end."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import isfinite

from softmerge_core.events import Barrier, Evaluation, Event

SIDES = ("plain", "aligned")
SMALL = 3.0  # points of error: a lower barrier is hardly one, a smaller difference hardly a difference
NUMBERS = ("none", "one", "two", "three", "four", "five", "six")


@dataclass
class Told:
    """The events of a run, as far as the verdict needs them. ``epochs``: of all stages; ``sources``: how many."""

    epochs: int
    sources: int
    barriers: dict[tuple[str, int], float] = field(default_factory=dict)  # (side, epoch): error, 0-1
    scores: dict[tuple[str, int], float] = field(default_factory=dict)  # (series, epoch): accuracy, 0-1

    def take(self, event: Event) -> None:
        """Remember one event."""
        if isinstance(event, Barrier):
            self.barriers[event.series, event.step] = event.error
        elif isinstance(event, Evaluation):
            self.scores[event.series, event.step] = event.accuracy

    def read(self, events: Iterable[Event]) -> "Told":
        """Remember all ``events``; returns itself."""
        for event in events:
            self.take(event)
        return self

    @property
    def step(self) -> int:
        """The last epoch at which anything was measured."""
        return max((step for _, step in self.barriers), default=0)

    def both(self) -> int:
        """The last epoch at which both sides were measured; 0 when there is none but the start."""
        known = [{step for side, step in self.barriers if side == name} for name in SIDES]
        return max(known[0] & known[1], default=0)

    def accuracy(self, side: str, step: int) -> float | None:
        """Mean accuracy (0-1) of a side's sources after ``step`` epochs, where all are known."""
        found = [self.scores.get((f"{side}:{number}", step)) for number in range(self.sources)]
        known = [value for value in found if value is not None]
        return sum(known) / len(known) if len(known) == self.sources else None


def letter(number: int) -> str:
    """What a source is called: A, B, C, ..."""
    return chr(ord("A") + number)


def verdict(told: Told) -> str:
    """Barriers with and without alignment at the newest epoch that both sides have reached, and what it costs."""
    step = told.both()
    if step == 0:
        return _alone(told)
    plain, aligned = (100 * told.barriers[side, step] for side in SIDES)
    when = f"After {step} of {told.epochs} epochs"
    if not (isfinite(plain) and isfinite(aligned)):
        return f"{when} the error of an average is not a number."
    return f"{when} {_judged(plain, aligned, told)}{_cost(told, step)}."


def _alone(told: Told) -> str:
    """What can be said while only the side without alignment is trained."""
    if told.step == 0:
        return "Waiting for the first epoch."
    barrier = points(100 * told.barriers.get(("plain", told.step), float("nan")))
    return (
        f"After {told.step} of {told.epochs} epochs the error barrier {_place(told)} is {barrier} without scope "
        "alignment; the training with it follows."
    )


def _judged(plain: float, aligned: float, told: Told) -> str:
    between = _place(told)
    if max(plain, aligned) < SMALL:
        return f"there is hardly a barrier {between}: {points(aligned)} with scope alignment, {points(plain)} without"
    if plain - aligned >= SMALL:
        return f"the error barrier {between} is {points(aligned)} with scope alignment and {points(plain)} without"
    does = "raises" if aligned - plain >= SMALL else "does not lower"
    return f"scope alignment {does} the error barrier {between}: {points(aligned)} with it, {points(plain)} without"


def _cost(told: Told, step: int) -> str:
    without, with_it = (told.accuracy(side, step) for side in SIDES)
    if without is None or with_it is None:
        return ""
    lost = 100 * (without - with_it)
    if abs(lost) < 0.05:
        text = "it costs no accuracy"
    else:
        text = f"it {'costs' if lost > 0 else 'gains'} {abs(lost):.1f} points of accuracy"
    return f"; {text} ({100 * with_it:.1f} % instead of {100 * without:.1f} %)"


def points(value: float) -> str:
    """Percentage points in words, whole from ten on."""
    if not isfinite(value):
        return "not a number of points"
    shown = f"{value:.0f}" if abs(round(value, 1)) >= 10 else f"{value:.1f}"
    shown = {"-0.0": "0.0"}.get(shown, shown).replace("-", "−")
    return f"{shown} points"


def _place(told: Told) -> str:
    """Where the barrier is measured: at the average of all."""
    if told.sources == 2:
        return "half way between the two"
    return f"at the average of the {NUMBERS[told.sources] if told.sources < len(NUMBERS) else told.sources}"
