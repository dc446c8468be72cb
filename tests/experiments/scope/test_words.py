"""The verdict: what it says where alignment helps, where it does not, and before either is known."""

import math

import pytest

from softmerge_core.events import Barrier, Evaluation, Event
from softmerge_core.experiments.scope.words import Told, letter, points, verdict


def events(step: int, plain: float, aligned: float | None, accuracies: tuple[float, float] = (0.9, 0.9)) -> list[Event]:
    found: list[Event] = []
    for side, error, accuracy in zip(("plain", "aligned"), (plain, aligned), accuracies, strict=True):
        if error is None:
            continue
        found.append(Barrier(step=step, series=side, error=error, loss=1.0))
        for number in range(2):
            scores = {"accuracy": accuracy + 0.01 * (2 * number - 1), "loss": 1.0}
            found.append(Evaluation(step=step, series=f"{side}:{number}", split="test", **scores))
    return found


def said(*told: list[Event], sources: int = 2) -> str:
    return verdict(Told(epochs=40, sources=sources).read(event for own in told for event in own))


START = events(0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("plain", "aligned", "accuracies", "expected"),
    [
        (
            0.71, 0.04, (0.95, 0.944),
            "After 20 of 40 epochs the error barrier half way between the two is 4.0 points with scope alignment and "
            "71 points without; it costs 0.6 points of accuracy (94.4 % instead of 95.0 %).",
        ),
        (
            0.5, 0.1, (0.9, 0.92),
            "After 20 of 40 epochs the error barrier half way between the two is 10 points with scope alignment and "
            "50 points without; it gains 2.0 points of accuracy (92.0 % instead of 90.0 %).",
        ),
        (
            0.86, 0.85, (0.9, 0.9),
            "After 20 of 40 epochs scope alignment does not lower the error barrier half way between the two: 85 "
            "points with it, 86 points without; it costs no accuracy (90.0 % instead of 90.0 %).",
        ),
        (
            0.1, 0.4, (0.9, 0.9),
            "After 20 of 40 epochs scope alignment raises the error barrier half way between the two: 40 points with "
            "it, 10 points without; it costs no accuracy (90.0 % instead of 90.0 %).",
        ),
        (
            0.02, -0.01, (0.9, 0.9),
            "After 20 of 40 epochs there is hardly a barrier half way between the two: −1.0 points with scope "
            "alignment, 2.0 points without; it costs no accuracy (90.0 % instead of 90.0 %).",
        ),
    ],
)  # fmt: skip
def test_what_alignment_does(plain: float, aligned: float, accuracies: tuple[float, float], expected: str) -> None:
    assert said(START, events(20, plain, aligned, accuracies)) == expected


def test_only_an_epoch_that_both_sides_reached_is_compared() -> None:
    assert said(START, events(1, 0.5, 0.1), events(2, 0.9, None)).startswith("After 1 of 40 epochs")


def test_while_one_side_alone_is_trained_its_barrier_is_told() -> None:
    assert said(START, events(3, 0.5, None)) == (
        "After 3 of 40 epochs the error barrier half way between the two is 50 points without scope alignment; "
        "the training with it follows."
    )


def test_before_the_first_epoch_nothing_is_claimed() -> None:
    assert said() == said(START) == "Waiting for the first epoch."


def test_of_more_than_two_the_average_is_meant() -> None:
    assert "the error barrier at the average of the three is" in said(events(1, 0.5, 0.1), sources=3)
    assert "accuracy" not in said(events(1, 0.5, 0.1), sources=3)  # that of the third is not known


def test_what_is_no_number_is_said_to_be_none() -> None:
    assert said(events(2, math.inf, 0.1)) == "After 2 of 40 epochs the error of an average is not a number."
    assert points(math.nan) == "not a number of points"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.04, "0.0 points"), (-0.04, "0.0 points"), (1.0, "1.0 points"), (9.96, "10 points"), (-12.4, "−12 points")],
)
def test_points(value: float, expected: str) -> None:
    assert points(value) == expected


def test_sources_are_letters() -> None:
    assert [letter(number) for number in range(3)] == ["A", "B", "C"]
