"""A comparison in words and as a table."""

from typing import Any

from softmerge_core.events import BEST, Score
from softmerge_core.experiments.compare.spec import CompareSpec
from softmerge_core.experiments.compare.words import needs_words, note, report, sentence, so_far


def test_the_sentence_is_honest_about_a_loss() -> None:
    def entry(method: str, accuracy: float) -> dict[str, Any]:
        about = {"title": method.title(), "reference": False} if method != BEST else {}
        return {"method": method, **about, "accuracy": {"mean": accuracy}, "problem": ""}

    text = sentence([entry("median", 0.7), entry("average", 0.65), entry(BEST, 0.8)])
    assert text == (
        "Median is best with 70.0% on test data, 5.0 points above the plain average, 10.0 points below the best source."
    )


def score(series: str, accuracy: float, seed: int = 0) -> Score:
    return Score(step=1, series=series, seed=seed, accuracy=accuracy)


def accuracies(scores: list[Score]) -> dict[str, list[float]]:
    return {row["method"]: row["accuracy"]["values"] for row in report(CompareSpec(), scores)["rows"]}


def test_rows_are_sorted_from_the_best_to_those_without_a_result() -> None:
    failed = Score(step=1, series="ties", problem="needs a base model")
    scores = [failed, score("average", 0.5), score("soft", 0.7), score("soft", 0.8, seed=1), score("median", 0.6)]
    rows = report(CompareSpec(), scores)["rows"]
    assert [row["method"] for row in rows] == ["soft", "median", "average", "ties"]
    assert rows[0]["accuracy"]["values"] == [0.7, 0.8]
    assert "accuracy" not in rows[-1]


def test_a_resumed_run_counts_no_score_twice() -> None:
    repeated = [score("average", 0.5), score("average", 0.6), score("soft", 0.7), score("soft", 0.8, seed=1)]
    assert accuracies(repeated) == {"average": [0.6], "soft": [0.7, 0.8]}


def test_a_live_comparison_says_how_many_methods_are_done() -> None:
    assert so_far([], 3, live=True) == "Waiting for the first method."
    assert so_far([], 3, live=False) == "The run ended before its first method."
    rows = report(CompareSpec(), [score("source-1", 0.9), score("average", 0.5)])["rows"]
    assert so_far(rows, 3, live=True) == "So far, of 1 of 3 methods: Plain average is best with 50.0% on test data."


def test_a_note_says_why_there_are_no_numbers_or_what_they_are_the_mean_of() -> None:
    assert note({"problem": "needs a base model"}) == "Needs a base model"
    assert note({"problem": "", "reference": True}) == "All networks, not one"
    assert note({"problem": "", "accuracy": {"values": [0.1, 0.2]}}) == "Mean of 2 seeds"
    assert note({"problem": "", "accuracy": {"values": [0.1]}}) == ""


def test_needs_in_words() -> None:
    assert needs_words([]) == "nothing"
    assert needs_words(["labels", "inputs"]) == "inputs, labels"
