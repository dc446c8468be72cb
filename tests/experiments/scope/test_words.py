"""Scope alignment in sentences: the verdict where it helps, where it does not, and before either is known."""

import math

import pytest

from softmerge_core.events import Barrier, Evaluation, Event, Histogram, Scopes, WeightPath
from softmerge_core.experiments.scope.spec import ScopeSpec
from softmerge_core.experiments.scope.told import Told
from softmerge_core.experiments.scope.words import (
    distance_sentence,
    in_points,
    normality_phrase,
    normality_rows,
    normality_sentence,
    path_sentence,
    pull_sentence,
    series_title,
    sources_sentence,
    stage_rows,
    target_sentence,
    verdict,
)
from softmerge_core.scope.sides import histogram as measured
from tests.scope.test_normality import draw

LAYERS = ("conv1.weight", "head.weight")


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
            "After 20 of 40 epochs the error barrier half way between the two is 4.0\u00a0points with scope alignment "
            "and 71\u00a0points without; alignment costs 0.6\u00a0points of accuracy "
            "(94.4\u00a0% instead of 95.0\u00a0%).",
        ),
        (
            0.5, 0.1, (0.9, 0.92),
            "After 20 of 40 epochs the error barrier half way between the two is 10\u00a0points with scope alignment "
            "and 50\u00a0points without; alignment gains 2.0\u00a0points of accuracy "
            "(92.0\u00a0% instead of 90.0\u00a0%).",
        ),
        (
            0.86, 0.85, (0.9, 0.9),
            "After 20 of 40 epochs scope alignment does not lower the error barrier half way between the two: "
            "85\u00a0points with it, 86\u00a0points without; alignment costs no accuracy "
            "(90.0\u00a0% instead of 90.0\u00a0%).",
        ),
        (
            0.1, 0.4, (0.9, 0.9),
            "After 20 of 40 epochs scope alignment raises the error barrier half way between the two: 40\u00a0points "
            "with it, 10\u00a0points without; alignment costs no accuracy (90.0\u00a0% instead of 90.0\u00a0%).",
        ),
        (
            0.02, -0.01, (0.9, 0.9),
            "After 20 of 40 epochs there is hardly a barrier half way between the two: −1.0\u00a0points with scope "
            "alignment, 2.0\u00a0points without; alignment costs no accuracy (90.0\u00a0% instead of 90.0\u00a0%).",
        ),
    ],
)  # fmt: skip
def test_what_alignment_does(plain: float, aligned: float, accuracies: tuple[float, float], expected: str) -> None:
    assert said(START, events(20, plain, aligned, accuracies)) == f"{expected} One seed."


def test_only_an_epoch_that_both_sides_reached_is_compared() -> None:
    assert said(START, events(1, 0.5, 0.1), events(2, 0.9, None)).startswith("After 1 of 40 epochs")


def test_while_one_side_alone_is_trained_its_barrier_is_told() -> None:
    assert said(START, events(3, 0.5, None)) == (
        "After 3 of 40 epochs the error barrier half way between the two is 50\u00a0points without scope alignment; "
        "the training with it follows. One seed."
    )


@pytest.mark.parametrize(
    ("plain", "aligned", "claimed"),
    [
        (0.0299, 0.0299, "there is hardly a barrier"),
        (0.0301, 0.01, "scope alignment does not lower the error barrier"),
        (0.20, 0.1701, "scope alignment does not lower the error barrier"),
        (0.20, 0.1699, "the error barrier half way between the two is 17\u00a0points with scope alignment and 20"),
        (0.20, 0.2299, "scope alignment does not lower the error barrier"),
        (0.20, 0.2301, "scope alignment raises the error barrier"),
    ],
)
def test_less_than_three_points_are_no_barrier_and_no_difference(plain: float, aligned: float, claimed: str) -> None:
    assert claimed in said(START, events(20, plain, aligned))


def test_before_the_first_epoch_nothing_is_claimed() -> None:
    assert said() == said(START) == "Waiting for the first epoch."


def test_of_more_than_two_the_average_is_meant() -> None:
    assert "the error barrier at the average of the three is" in said(events(1, 0.5, 0.1), sources=3)
    assert "accuracy" not in said(events(1, 0.5, 0.1), sources=3)  # that of the third is not known


def test_what_is_no_number_is_said_to_be_none() -> None:
    assert said(events(2, math.inf, 0.1)) == "After 2 of 40 epochs the error of an average is not a number. One seed."
    assert in_points(math.nan) == "not a number of points"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.04, "0.0\u00a0points"),
        (-0.04, "0.0\u00a0points"),
        (1.0, "1.0\u00a0points"),
        (9.96, "10\u00a0points"),
        (-12.4, "−12\u00a0points"),
    ],
)
def test_in_points(value: float, expected: str) -> None:
    assert in_points(value) == expected


def barrier(side: str, distance: tuple[float, ...] = (0.1, 0.4)) -> Barrier:
    return Barrier(step=1, series=side, error=0.1, loss=0.5, distance=distance)


def histogram(series: str, layer: str, kurtosis: float, gap: float) -> Histogram:
    return Histogram(
        step=1, series=series, layer=layer, low=-1, high=1, counts=(1, 1), outside=0, mu=0, sigma=1,
        skewness=0.1, kurtosis=kurtosis, gap=gap,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gaussian", "close to Gaussian (skewness "),
        ("uniform", "flat, no tails (skewness "),
        ("cubed", "heavy tails"),
        ("exponential", "heavy tails, longer tail on the right (skewness 2"),
    ],
)
def test_layers_are_called_what_their_weights_are(name: str, said: str) -> None:
    assert normality_phrase(measured("start:0", "layer", draw(name), 0)).startswith(said)


def test_minus_nothing_is_nothing() -> None:
    def said(skewness: float, kurtosis: float, gap: float) -> str:
        event = histogram("start:0", "layer", kurtosis, gap)
        return normality_phrase(event.model_copy(update={"skewness": skewness}))

    assert said(-0.01, -0.04, 0.01) == "close to Gaussian (skewness 0.0, excess kurtosis 0.0)"
    assert said(-0.7, -1.2, 0.2) == "flat, no tails, longer tail on the left (skewness −0.7, excess kurtosis −1.2)"
    assert said(0.1, 0.1, 0.1).startswith("roughly Gaussian")


def test_normality_in_words() -> None:
    start = [histogram("start:0", layer, -1.2, 0.06) for layer in LAYERS]
    assert normality_sentence([]) == "Waiting for the initial weights."
    assert normality_sentence(start) == (
        "0 of 2 layers before training are close to Gaussian; least so conv1 (flat, no tails)."
    )
    events = [*start, histogram("aligned:1", "conv1.weight", 0.4, 0.01), histogram("aligned:1", "head.weight", 4, 0.2)]
    assert normality_sentence(events) == (
        "1 of 2 trained layers is close to Gaussian; least so head of B, aligned (heavy tails)."
    )
    skewed = histogram("aligned:1", "conv1.weight", 1.4, 0.05)
    wide = histogram("aligned:1", "head.weight", 0.4, 0.2)  # further off, but of no kind of its own
    assert "least so conv1 of B, aligned (heavy tails)" in normality_sentence([skewed, wide])
    assert [series_title(name) for name in ("start:0", "start:1", "plain:0", "aligned:1")] == [
        "Initial weights", "Initial weights B", "A, plain", "B, aligned",
    ]  # fmt: skip
    assert normality_rows(events, (*LAYERS, "without.weight"))[1:] == [
        (
            "head",
            [
                "Initial weights: flat, no tails (skewness 0.1, excess kurtosis −1.2)",
                "B, aligned: heavy tails (skewness 0.1, excess kurtosis 4.0)",
            ],
        )
    ]


def test_a_step_of_the_progress_bar_is_explained() -> None:
    assert pull_sentence(ScopeSpec(stages=2)).endswith(
        "2 sources from the same initial weights. 2 stages, each from the network merged before it. "
        "A step is an epoch of one side, plain or aligned."
    )


def test_distances_and_scopes_in_words() -> None:
    assert distance_sentence([barrier("plain")]) == "Waiting for both sides."
    both = [barrier("plain"), barrier("aligned", (0.01, 0.02))]
    assert "0.03 nats apart with alignment and 0.5 without" in distance_sentence(both)
    grown = [
        Scopes(step=step, series=f"{side}:0", layers=LAYERS, mu=(0.0, 0.0), sigma=(1.0, 1.0 + step * by))
        for side, by in (("plain", 2.0), ("aligned", 0.5))
        for step in (0, 1)
    ]
    assert target_sentence(grown) == (
        "The spreads are now 1.00 to 3.00 times those at the start without alignment, 1.00 to 1.50 times with it."
    )
    assert target_sentence([]) == "Waiting for the first epoch."


def test_paths_in_words() -> None:
    def path(series: str, middle: float) -> WeightPath:
        return WeightPath(step=1, series=series, t=(0, 0.5, 1), test_loss=(0, 0, 0), test_error=(0.1, middle, 0.3))

    assert "walked when the training ends" in path_sentence([path("plain", 0.5)])
    both = [path("plain", 0.9), path("aligned", 0.25)]
    expected = "On the straight line from A to B the barrier is 5.0\u00a0points with alignment, 70\u00a0points without"
    assert path_sentence(both) == f"{expected}."
    permuted = [path("plain:permuted", 0.5), path("aligned:permuted", 0.3)]
    also = "once units are put in one order, 10\u00a0points with and 30\u00a0points without"
    assert path_sentence([*both, *permuted]) == f"{expected}; {also}."


def test_a_path_whose_highest_point_is_beside_the_middle_tells_both() -> None:
    def path(series: str, *between: float) -> WeightPath:
        errors = (0.0, *between, 0.0)
        return WeightPath(step=1, series=series, t=(0, 0.25, 0.5, 0.75, 1), test_loss=(0,) * 5, test_error=errors)

    assert path_sentence([path("plain", 0.1, 0.2, 0.27), path("aligned", 0.05, 0.085, 0.06)]) == (
        "On the straight line from A to B the barrier is at its highest 8.5\u00a0points with alignment, "
        "27\u00a0points without (half way 8.5\u00a0points and 20\u00a0points)."
    )


def test_sources_and_stages_in_words() -> None:
    def score(series: str, step: int, accuracy: float) -> Evaluation:
        return Evaluation(step=step, series=series, split="test", accuracy=accuracy, loss=1.0)

    events = [score("plain:0", 1, 0.5), score("plain:0", 2, 0.9), score("aligned:0", 2, 0.8)]
    assert sources_sentence(events) == ("Accuracy on test data, one seed: A 80.0\u00a0% aligned and 90.0\u00a0% plain.")
    assert sources_sentence([]) == "Waiting for the first epoch."
    merged = [score("plain:merged", 2, 0.5), score("aligned:merged", 2, 0.75), score("plain:merged", 4, 0.6)]
    assert stage_rows(merged) == [["1", "50.0\u00a0%", "75.0\u00a0%"], ["2", "60.0\u00a0%", "unknown"]]
