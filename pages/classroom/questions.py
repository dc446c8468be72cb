"""The questions of the lessons as a class is asked them."""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from pages.shared.runs.services import run_store
from pages.shared.teach.lesson import Lesson, Measured, Question, lessons
from pages.shared.teach.truth import PAST_ALL
from softmerge_core.classroom import Asked
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.words import percent, signed
from softmerge_core.numbers import NO_BREAK, number_text

KINDS = ("", "choice", "choices", "number")  # of questions that have one number as their answer
AXES = {"percent": "Predicted (%)", "points": "Predicted (percentage points)", "number": "Predicted number"}
STEPS = 100  # of the slider of a number


class Posed(NamedTuple):
    """A lesson's question. ``asked``: its form in a class, whose numbers are those of the run's result.

    ``scale``: a number times that is what is shown, in percent or points.
    """

    title: str
    question: Question
    reveal: str
    asked: Asked
    scale: float

    @property
    def options(self) -> tuple[str, ...]:
        """The answers to choose from; none where a number is asked for."""
        return tuple(choice.text for choice in self.question.choices)

    @property
    def axis(self) -> str:
        """The title of an axis with numbers that were predicted, with the unit."""
        return AXES.get(self.question.unit, AXES["number"])

    @property
    def span(self) -> tuple[float, float]:
        """The least and the greatest number, as they are shown."""
        return self.scale * self.asked.low, self.scale * self.asked.high

    @property
    def step(self) -> float:
        """The step of the slider, as it is shown: 1, 2 or 5 times a power of ten."""
        least = (self.span[1] - self.span[0]) / STEPS
        power = 10.0 ** math.floor(math.log10(least))
        return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= 0.999 * least)

    def said(self, value: float) -> str:
        """A number of the run's result in words, with its unit."""
        if self.question.unit == "percent":
            return percent(value)
        if self.question.unit == "points":
            return f"{signed(100 * value)}{NO_BREAK}points"
        return number_text(value)


@cache
def posed() -> Mapping[str, Posed]:
    """The questions that a class can be asked, by the names of their lessons.

    Where a reader alone draws a curve, a class is asked for the number; what has neither a number nor choices is left
    out.
    """
    found = {name: _posed(name, lesson) for name, lesson in lessons().items()}
    return {name: each for name, each in found.items() if each is not None}


def _posed(name: str, lesson: Lesson) -> Posed | None:
    question: Any = lesson.question
    measured = isinstance(getattr(question, "measured", None), Measured)
    if not measured or getattr(question, "kind", "") not in KINDS:
        return None
    try:
        asked = Asked(lesson=name, options=len(question.choices), low=question.low, high=question.high)
    except ValueError:  # one option, or a range without numbers
        return None
    return Posed(lesson.title, question, lesson.reveal, asked, 1.0 if question.unit == "number" else 100.0)


def run_kind(run_id: str) -> str:
    """The kind of a run; "" where there is none, or it cannot be read."""
    try:
        return run_store().read(run_id, PAST_ALL).spec.kind
    except SoftMergeError:
        return ""
