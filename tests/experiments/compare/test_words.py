"""A comparison in words and as a table."""

from collections.abc import Sequence
from typing import Any

from softmerge_core.events import BEST, Score
from softmerge_core.experiments.compare.spec import CompareSpec
from softmerge_core.experiments.compare.words import FEW_SEEDS, needs_words, note, report, sentence, so_far, with_bars
from softmerge_core.statistics import pack


def entry(method: str, *accuracies: float, title: bool = True, right: Sequence[range] = ()) -> dict[str, Any]:
    """A row on 1,000 samples; ``right``: the samples that each seed's network gets right."""
    about = {"title": method.title(), "reference": False} if title else {}
    accuracy = {"mean": sum(accuracies) / len(accuracies), "values": list(accuracies), "samples": 1000}
    correct = [pack(number in some for number in range(1000)) for some in right]
    return {"method": method, **about, "accuracy": accuracy, "problem": "", "correct": correct}


def test_the_sentence_is_honest_about_a_loss() -> None:
    text = sentence([entry("median", 0.7), entry("average", 0.63), entry(BEST, 0.8, title=False)])
    assert text == (
        "Median is best: it classifies 70.0\u00a0% of 1,000 test samples correctly. Clearly above the plain average: "
        "Median; clearly above the best source (lowest validation loss): none of 2 ways."
    )


def test_a_method_with_random_choices_that_was_done_once_is_one_seed() -> None:
    assert sentence([entry("soft", 0.9), entry("median", 0.5)]).endswith(" One seed.")
    assert "One seed" not in sentence([entry("soft", 0.9, 0.9), entry("median", 0.5)])
    assert "One seed" not in sentence([entry("krum", 0.9), entry("median", 0.5)])


def test_best_is_said_only_of_what_is_clearly_best() -> None:
    text = sentence([entry("median", 0.71), entry("krum", 0.7), entry("average", 0.5)])
    assert text.startswith(
        "Among the best: Median (71.0\u00a0%); Krum (70.0\u00a0%) cannot be told apart from it on 1,000 test "
    )
    assert "the smallest gap they resolve is about 5.7\u00a0points" in text
    assert "did not keep which samples" in text
    assert "is best" not in text


def test_the_same_samples_tell_apart_what_two_accuracies_alone_cannot() -> None:
    without = [entry("median", 0.72), entry("krum", 0.7)]
    paired = [entry("median", 0.72, right=[range(720)]), entry("krum", 0.7, right=[range(700)])]
    assert sentence(without).startswith("Among the best")
    assert sentence(paired).startswith("Median is best")


def test_the_source_that_is_best_on_test_data_is_named_if_another_was_chosen() -> None:
    rows = [entry("median", 0.8), entry(BEST, 0.7, title=False), entry("source-2", 0.78, title=False)]
    assert "10.0\u00a0points above the best source (lowest validation loss)" in sentence(rows)
    assert "not be told apart from the source that is best on test data (78.0\u00a0%)" in sentence(rows).replace(
        "cannot", "not"
    )
    assert "on test data (" not in sentence([*rows[:2], entry("source-2", 0.7, title=False)])


def test_rows_of_older_runs_get_their_bars() -> None:
    old = {"method": "average", "title": "Plain average", "reference": False, "problem": ""}
    (row,) = with_bars(CompareSpec(), [{**old, "accuracy": {"mean": 0.8, "half": None, "values": [0.8]}}])
    assert (row["accuracy"]["of"], row["accuracy"]["samples"]) == ("samples", 1000)
    assert row["accuracy"]["low"] < 0.8 < row["accuracy"]["high"]
    (row,) = with_bars(CompareSpec(), [{**old, "accuracy": {"mean": 0.8, "half": 0.1, "values": [0.79, 0.81]}}])
    assert row["accuracy"]["of"] == "both"
    assert "accuracy" not in with_bars(CompareSpec(), [{**old, "problem": "needs a base model"}])[0]


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
    assert so_far(rows, 3, live=True) == (
        "1 of 3 methods so far. Plain average classifies 50.0\u00a0% of 1,000 test samples correctly."
    )


def test_a_live_comparison_says_that_seeds_are_to_come_and_only_then_that_there_was_one() -> None:
    rows = report(CompareSpec(), [score("soft", 0.9), score("average", 0.5)])["rows"]
    said = so_far(rows, 3, live=True, seeds=2)
    assert said.startswith("2 of 3 methods so far, 1 of 2 seeds of some. ")
    assert "One seed." not in said
    assert so_far(rows, 3, live=True, seeds=1).endswith(" One seed.")


def test_once_all_methods_are_there_their_number_is_no_news_while_few_labels_are_tried() -> None:
    few = Score(step=1, series="median", labels=20, accuracy=0.1)
    rows = report(CompareSpec(), [score("average", 0.5), score("median", 0.9), few])["rows"]
    assert [row["accuracy"]["values"] for row in rows] == [[0.9], [0.5]]
    assert so_far(rows, 2, live=True) == sentence(rows)


def test_two_seeds_are_said_to_be_few_where_they_tell_nothing_apart() -> None:
    few = sentence([entry("soft", 0.86, 0.91), entry("ties", 0.78)])
    assert "Soft (88.5\u00a0%); Ties (78.0\u00a0%) cannot be told apart from it" in few
    assert FEW_SEEDS in few
    assert FEW_SEEDS not in sentence([entry("soft", 0.88, 0.89, 0.88), entry("ties", 0.88)])


def test_a_note_says_why_there_are_no_numbers_or_what_they_are_the_mean_of() -> None:
    assert note({"problem": "needs a base model"}) == "Needs a base model"
    assert note({"problem": "", "reference": True}) == "All networks, not one"
    assert note({"problem": "", "accuracy": {"values": [0.1, 0.2]}}) == "Mean of 2 seeds"
    assert note({"problem": "", "accuracy": {"values": [0.1]}}) == ""


def test_needs_in_words() -> None:
    assert needs_words([]) == "nothing"
    assert needs_words(["labels", "inputs"]) == "inputs, labels"
