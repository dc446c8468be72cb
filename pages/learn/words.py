"""A prediction beside the truth, in words."""

from collections.abc import Sequence
from typing import NamedTuple

from pages.shared.teach.lesson import Question, Sketch, Unit
from softmerge_core.experiments.words import percent
from softmerge_core.numbers import number_text

NEAR = 0.05  # how far (0-1) a prediction may be from the truth and still be called close


class Compared(NamedTuple):
    """``met``: whether the prediction was right, or close; ``said``: both, and how far they are apart, in words."""

    met: bool
    said: str


def value_text(value: float, unit: Unit) -> str:
    """A number as it is said in its unit."""
    if unit == "number":
        return number_text(value)
    return percent(value) if unit == "percent" else f"{100 * value:.1f} points"


def compared(question: Question, said: float, truth: float) -> Compared:
    """A number, or the place of a choice (from 0), beside the number that was measured."""
    measured = f"The run measured **{value_text(truth, question.unit)}**"
    right = question.right(truth)
    if right is not None:
        met = right == int(said)
        told = "as you chose" if met else f"so the answer is: {_lower(question.choices[right].text)}"
        return Compared(met, f"{measured}: {told}.")
    gap = truth - said
    near = abs(gap) <= NEAR * (question.high - question.low)
    more = "more" if gap > 0 else "less"
    apart = f"{value_text(abs(gap), 'number' if question.unit == 'number' else 'points')} {more} than you said"
    return Compared(
        near, f"You said {value_text(said, question.unit)}. {measured}, {apart}{', which is close' * near}."
    )


def compared_curves(sketch: Sketch, drawn: Sequence[float], truth: Sequence[float]) -> Compared:
    """A curve that was drawn beside the one that was measured, both at the points of the sketch."""
    gaps = [abs(one - other) for one, other in zip(drawn, truth, strict=True)]
    mean, worst = sum(gaps) / len(gaps), max(range(len(gaps)), key=gaps.__getitem__)
    near = mean <= NEAR
    most = (
        f"The two part most at {sketch.place(worst):g}: you drew {percent(drawn[worst])}, "
        f"and the run measured **{percent(truth[worst])}**."
    )
    return Compared(near, f"Your curve is {100 * mean:.1f} points from the measured one on average. {most}")


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:].rstrip(".")
