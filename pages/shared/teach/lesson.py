"""A lesson: what it asks first, and the pages through which it then leads. One TOML file each, in ``lessons``.

Nothing that a lesson asks has its answer written down: the truth is read from the result of a recorded run.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from pages.shared.teach.place import number_at, numbers_at
from softmerge_core.errors import SettingsError
from softmerge_core.settings import Frozen, parse

LESSONS = Path(__file__).parent / "lessons"
Unit = Literal["percent", "points", "number"]


class Measured(Frozen):
    """A number of a recorded run, in the unit of its result.

    ``run``: the id of the run; ``value``: where the number stands in its result, names and places joined by dots
    ("accuracy.sources.2", or "rows.method=soft.accuracy.mean" for what lies in a list at no fixed place); ``minus``:
    where another stands that is taken from it; ``share``: of which of the numbers that stand there the share (0-1) is
    meant, those above 0 ("open"), or those that are just 0 or 1 ("exact").
    """

    run: str
    value: str
    minus: str = ""
    share: Literal["", "open", "exact"] = ""

    def read(self, result: Mapping[str, Any]) -> float:
        """The number, of the run's result; raises SettingsError where there is none."""
        if self.share:
            every = numbers_at(result, self.value)
            return sum(one > 0 if self.share == "open" else one in (0, 1) for one in every) / len(every)
        return number_at(result, self.value) - (number_at(result, self.minus) if self.minus else 0.0)


class Series(Frozen):
    """A curve of a recorded run: numbers from 0 to 1.

    ``value``: where it stands in the run's result, or, where ``event`` names a kind of event, in the list of those;
    ``of_one``: whether it is taken from 1, as an error that is told as accuracy.
    """

    run: str
    value: str
    event: str = ""
    of_one: bool = False

    def read(self, record: Any) -> list[float]:
        """The curve, of the run's result or its events; raises SettingsError where there is none."""
        found = numbers_at(record, self.value)
        return [1 - one for one in found] if self.of_one else found


class Sketch(Frozen):
    """A curve that is drawn by hand before the true one is seen: ``points`` heights (0-1), evenly from ``first`` to
    ``last`` along the axis ``along``.

    ``text``: what is asked for, in Markdown; ``given``: another curve that is seen from the beginning, called
    ``given_name``; ``height``: what is drawn.
    """

    text: str
    truth: Series
    along: str
    first: float
    last: float
    points: int = Field(9, ge=3, le=25)
    height: str = "Test accuracy"
    given: Series | None = None
    given_name: str = ""

    def place(self, number: int) -> float:
        """Where the point of this number, from 0, stands along the axis."""
        return self.first + (self.last - self.first) * number / (self.points - 1)

    def picked(self, curve: Sequence[float]) -> list[float]:
        """A curve's heights at the points of the sketch, between its own by straight lines."""
        return [_between(curve, number * (len(curve) - 1) / (self.points - 1)) for number in range(self.points)]


class Choice(Frozen):
    """One answer of a few. It is right where the measured number is at least ``least`` and below ``below``."""

    text: str
    least: float = -math.inf
    below: float = math.inf

    model_config = Frozen.model_config | {"allow_inf_nan": True}


class Question(Frozen):
    """What is to be predicted: one of ``choices``, or, where there are none, a number from ``low`` to ``high``.

    ``measured``: the truth; ``unit``: how it and a number that is predicted are said ("percent": 0-1 as percent;
    "points": a difference of two such); ``text``: the question, in Markdown. ``sketch``: where there is one, a reader
    alone draws it instead; ``text`` and ``measured`` then ask and answer nearly the same in one number.
    """

    text: str
    measured: Measured
    choices: tuple[Choice, ...] = ()
    low: float = 0.0
    high: float = 1.0
    unit: Unit = "percent"
    sketch: Sketch | None = None

    @model_validator(mode="after")
    def _one_is_right(self) -> Self:
        """Between them the choices hold every number once."""
        ordered = sorted(self.choices, key=lambda choice: choice.least)
        edges = [-math.inf, *(choice.below for choice in ordered)]
        if ordered and (edges[-1] != math.inf or [choice.least for choice in ordered] != edges[:-1]):
            raise ValueError("expected choices that hold every number once, got ones with gaps or overlaps")
        return self

    def right(self, truth: float) -> int | None:
        """The place of the right choice, for a measured number; None where a number is asked for."""
        return next((at for at, each in enumerate(self.choices) if each.least <= truth < each.below), None)


class Step(Frozen):
    """One thing to see or to do on one page.

    ``page``: its address; ``state``: what a copied link to it holds after the "?", "" for the page as it is at
    first; ``shows``: the key of what is to be looked at, which is highlighted; ``done``: how the step is known to be
    done: "read" (the reader goes on), or "run" (a run of that page ended that the reader started).
    """

    title: str
    text: str
    page: str
    state: str = ""
    shows: str = ""
    done: Literal["read", "run"] = "read"


class Lesson(Frozen):
    """``minutes``: about how long it takes; ``question``: asked first; ``reveal``: said once the truth is seen."""

    title: str
    purpose: str
    minutes: int
    question: Question
    reveal: str
    steps: tuple[Step, ...]


@cache
def lessons() -> dict[str, Lesson]:
    """Every lesson by its name, that of its file without the number in front, in the order of the files."""
    return {file.stem.partition("-")[2]: read_lesson(file) for file in sorted(LESSONS.glob("*.toml"))}


def read_lesson(file: Path) -> Lesson:
    """The lesson of a file; raises SettingsError, which names the file and what is wrong in it."""
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(f"lesson {file.name}: {error}") from error
    lesson: Lesson = parse(Lesson, values, f"lesson {file.name}")
    return lesson


def _between(curve: Sequence[float], place: float) -> float:
    before = min(int(place), len(curve) - 2)
    return curve[before] + (place - before) * (curve[before + 1] - curve[before])
