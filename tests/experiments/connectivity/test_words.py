"""Connectivity in sentences: honest where nothing stands in the way, and where nothing helps."""

import math

import pytest

from softmerge_core.events import BezierCurve, PlaneTrail, Score, WeightPath
from softmerge_core.experiments.connectivity.words import (
    STRIP,
    between_sentence,
    curve_sentence,
    samples_phrase,
    start_sentence,
    strip_sentence,
    trail_sentence,
    verdict,
)
from softmerge_core.statistics import pack

TS = (0.0, 0.5, 1.0)
CURVE = BezierCurve(
    step=20, trained=20, total=40, t=TS, loss=(0.4, 0.45, 0.6), error=(0.1, 0.1, 0.2),
    straight_loss=(0.4, 2.5, 0.6), straight_error=(0.1, 0.7, 0.2), split="train", samples=100,
)  # fmt: skip
TRAIL = PlaneTrail(step=0, series="soft", x=(1.0, 0.5), y=(0.3, 0.1), off=(0.0, 0.2), width=2.0)


def path(series: str, middle: float, *, error: float = 0.4, note: str = "") -> WeightPath:
    loss, errors = (0.4, middle, 0.6), (0.1, error, 0.2)
    return WeightPath(
        step=0, series=series, t=TS, train_loss=loss, train_error=errors, test_loss=loss, test_error=errors, note=note
    )


def test_the_verdict_is_honest_where_nothing_stands_in_the_way_or_nothing_helps() -> None:
    paths = (path("plain", 2.5, error=0.7), path("weights", 0.9), path("weights_repair", 0.88, error=0.35))
    found = {event.series: event for event in paths}
    assert verdict(found) == (
        "On test data the straight path rises 2.00\u00a0nats above the line between its ends, at t = 0.50; aligned by "
        "weights the barrier is 0.40\u00a0nats, aligned by weights and repaired it is 0.38\u00a0nats."
    )
    assert "50.0\u00a0points" not in verdict(found)
    assert "55.0\u00a0points above" in verdict(found, "error")
    assert "has no barrier" in verdict({"plain": path("plain", 0.5)})
    assert "(no lower)" in verdict({"plain": path("plain", 0.7), "weights": path("weights", 0.9)})
    assert verdict({"weights": path("weights", 0.5)}) == "On test data, aligned by weights there is none."
    assert "infinite" in verdict({"plain": path("plain", math.nan)})
    assert verdict({}) == "Waiting for the first path."


def test_sentences_say_whether_the_loss_only_falls_and_what_the_curve_gains() -> None:
    assert "rises by 2.10\u00a0nats" in start_sentence(path("start:0", 2.5, note="its trunk"), "A")
    falling = path("start:0", 0.5).model_copy(update={"train_loss": (2.0, 1.0, 0.5), "note": "its trunk"})
    assert start_sentence(falling, "A") == "From its trunk to A the training loss only falls."
    rising = falling.model_copy(update={"train_error": (0.5, 0.1, 0.3)})
    assert "the training error is not monotonic: it rises by 20.0" in start_sentence(rising, "A", "error")
    assert start_sentence(WeightPath(step=0, series="start:0", note="not known"), "A") == "A: not known."
    assert "worst loss is 0.60\u00a0nats, the straight line's 2.50" in curve_sentence(CURVE)
    assert "no lower" in curve_sentence(CURVE.model_copy(update={"loss": (0.4, 3.0, 0.6)}))
    assert trail_sentence(TRAIL) == (
        "The path is seen from above: it lies up to 10\u00a0% of the distance From–To off the plane."
    )
    assert trail_sentence(TRAIL.model_copy(update={"off": (0.0, 1e-6)})) == "The path lies in the plane."


def scores(**accuracies: float) -> dict[str, Score]:
    return {key: Score(step=0, series=key, case="strip", accuracy=value) for key, value in accuracies.items()}


def test_the_strip_is_judged_against_the_end_with_the_lower_validation_loss() -> None:
    found = scores(a=0.9, average=0.5, soft=0.8, b=0.8)
    found["b"] = found["b"].model_copy(update={"best": True})
    assert strip_sentence(found) == (
        "On test data the plain average is 30.0\u00a0points below “To”, the end with the lower validation loss; "
        "the soft merge is as good as it. One seed."
    )
    found["a"], found["b"] = (found[end].model_copy(update={"best": end == "a"}) for end in "ab")
    assert "40.0\u00a0points below “From”, the end" in strip_sentence(found)


def test_a_run_that_did_not_keep_which_end_is_better_does_not_say_so() -> None:
    said = strip_sentence(scores(a=0.9, average=0.5, soft=0.8, b=0.8))
    assert "40.0\u00a0points below “From”; the soft merge" in said


def test_the_strip_names_the_end_as_its_card_does() -> None:
    said = strip_sentence(scores(a=0.9, average=0.5, soft=0.8, b=0.8), ("Source 3", "Source 1"))
    assert "below “Source 3”; the soft merge" in said


def test_the_strip_tells_apart_what_the_samples_can() -> None:
    found = scores(a=0.8, average=0.79, soft=0.8, b=0.1)
    right = {"a": 80, "average": 79, "soft": 80}
    for key, count in right.items():
        record = pack(number < count for number in range(100))
        found[key] = found[key].model_copy(update={"correct": record, "validation": 0.8})
    said = strip_sentence(found)
    assert "the plain average cannot be told apart from “From”" in said
    assert "the soft merge is right on exactly the same samples as it" in said


def test_the_strip_waits_until_all_is_known() -> None:
    waiting = strip_sentence({})
    assert waiting.startswith("Test accuracy and loss of the two models")
    for missing in STRIP:
        known = {"a": 0.9, "average": 0.5, "soft": 0.9, "b": 0.8, missing: math.nan}
        assert strip_sentence(scores(**known)) == waiting


@pytest.mark.parametrize(("split", "said"), [("train", "1,400 training samples"), ("test", "1,400 test samples")])
def test_samples_and_ends_are_named(split: str, said: str) -> None:
    assert samples_phrase(1400, split) == said
    assert between_sentence(("one", "other"), 25) == "From one (t = 0) to other (t = 1), 25 networks on each path."
