"""A prediction beside the truth: what is said names both, and says how far apart they are."""

import pytest

from pages.learn.words import compared, compared_curves, value_text
from pages.shared.teach.lesson import Choice, Measured, Question, Series, Sketch

MEASURED = Measured(run="x", value="y")


def test_a_number_is_set_beside_the_one_that_was_measured() -> None:
    asked = Question(text="", measured=MEASURED)
    far, near = compared(asked, 0.5, 0.125), compared(asked, 0.1, 0.125)
    assert (far.met, near.met) == (False, True)
    assert far.said.replace("\u00a0", " ").replace("\u202f", " ") == (
        "You said 50.0 %. The run measured **12.5 %**, 37.5 points less than you said."
    )
    assert near.said.endswith("2.5 points more than you said, which is close.")


def test_a_choice_is_right_or_told_the_right_one() -> None:
    few, many = Choice(text="Few of them.", below=0.5), Choice(text="Many of them.", least=0.5)
    asked = Question(text="", measured=MEASURED, choices=(few, many))
    right, wrong = compared(asked, 1, 0.75), compared(asked, 0, 0.75)
    assert (right.met, wrong.met) == (True, False)
    assert right.said.endswith(": as you chose.")
    assert wrong.said.endswith("so the answer is: many of them.")


def test_a_curve_is_told_where_it_parted_most() -> None:
    sketch = Sketch(text="", truth=Series(run="x", value="y"), along="", first=0, last=1, points=3)
    found = compared_curves(sketch, [0.5, 0.5, 0.5], [0.5, 0.75, 0.5])
    assert not found.met
    assert "8.3 points" in found.said
    assert "at 0.5:" in found.said
    assert compared_curves(sketch, [0.5] * 3, [0.5, 0.5, 0.55]).met


@pytest.mark.parametrize(("unit", "said"), [("points", "12.5 points"), ("number", "0.125")])
def test_a_value_has_its_unit(unit: str, said: str) -> None:
    assert value_text(0.125, unit) == said  # type: ignore[arg-type]
