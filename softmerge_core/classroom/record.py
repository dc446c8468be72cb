"""What is kept of a class, as its file has it: random tokens and numbers, nothing that tells who anybody is."""

import hashlib
import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from softmerge_core.errors import ClassError, short
from softmerge_core.settings import Frozen

LETTERS = "BCDFGHJKMNPQRTVWXYZ2346789"  # no two of them look alike, and no words come of them
CODE = 5  # letters of a code
MOST_STUDENTS, MOST_RUNS, MOST_OPTIONS = 500, 1000, 20
ROUNDS = 2  # votes on one question: before and after the discussion
LARGEST = 1e300  # of an answer: beyond it, as for NaN, there is nothing to compare
LONGEST = 12 * 3600.0  # seconds that a class lasts

Name = Annotated[str, Field(max_length=200)]
Token = Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Asked(Frozen):
    """A question as a class has it. ``options``: how many answers there are to choose from; 0: a number is asked for.

    ``lesson``: whose question it is; ``low``, ``high``: the least and the greatest number.
    """

    lesson: Name
    options: int = Field(0, ge=0, le=MOST_OPTIONS)
    low: float = 0.0
    high: float = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.options == 1 or not self.low < self.high:
            raise ValueError("expected two options or more, or a low number below a high one")
        return self

    def checked(self, value: object) -> float:
        """The answer as it is kept: the place of an option, or a number; raises ClassError for what is neither."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not -LARGEST <= value <= LARGEST:
            raise ClassError(f"expected a number as an answer, got a {type(value).__name__} that is none")
        if self.options and not (float(value).is_integer() and 0 <= value < self.options):
            raise ClassError(f"expected one of {self.options} answers, got number {short(value, 40)}")
        if not self.options and not self.low <= value <= self.high:
            raise ClassError(f"expected an answer from {self.low:g} to {self.high:g}, got {short(value, 40)}")
        return float(value)


class Record(Frozen):
    """A class at one moment.

    ``teacher`` and ``students``: tokens, made of the random number by which a browser is known and the ``salt``, so
    that no two classes have the same ones; ``opened``: seconds since 1970; ``number``: how many questions were asked;
    ``votes``: the answers to ``asked`` by token, one mapping for each vote; ``voting``: whether answers are taken;
    ``shown``: the run that the teacher shows; ``runs``: those that students have started.
    """

    version: Literal[1] = 1
    code: str = Field(pattern=f"^[{LETTERS}]{{{CODE}}}$")
    teacher: Token
    salt: Token
    opened: float
    number: int = Field(0, ge=0)
    asked: Asked | None = None
    votes: tuple[dict[Token, float], ...] = Field((), max_length=ROUNDS)
    voting: bool = False
    students: dict[Token, float] = Field({}, max_length=MOST_STUDENTS)
    shown: Name = ""
    runs: tuple[Name, ...] = Field((), max_length=MOST_RUNS)

    def token(self, who: str) -> str:
        """The token of a browser in this class."""
        return hashlib.sha256(f"{self.salt}|{who}".encode()).hexdigest()[:32]

    def taught_by(self, who: str) -> bool:
        """Whether this browser opened the class."""
        return self.token(who) == self.teacher

    def has(self, who: str) -> bool:
        """Whether this browser has joined the class."""
        return self.token(who) in self.students

    def answer_of(self, who: str, vote: int) -> float | None:
        """What this browser answered in a vote, 0 or 1; None where it did not."""
        return self.votes[vote].get(self.token(who)) if vote < len(self.votes) else None

    @property
    def vote(self) -> int:
        """The vote that is open or was the last: 0 or 1."""
        return max(len(self.votes) - 1, 0)

    @property
    def stage(self) -> tuple[object, ...]:
        """What changes when a student's page has something else to show."""
        return self.number, len(self.votes), self.voting, self.shown

    def ended(self, now: float) -> bool:
        """Whether its time is over; a clock that is set back by more than an hour ends it as well."""
        return not -3600 <= now - self.opened <= LONGEST


def as_code(text: str) -> str:
    """A code as it is kept, of what somebody typed; raises ClassError where it cannot be one."""
    found = re.sub(r"[\s-]+", "", text[:100]).upper()
    if not re.fullmatch(f"[{LETTERS}]{{{CODE}}}", found):
        raise ClassError(f"class codes have {CODE} letters and digits, such as BK4TZ; got {short(text, 20)}")
    return found
