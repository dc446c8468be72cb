"""What a comparison says of the number of labelled samples, as numbers and in words."""

import numpy as np
import pytest

from softmerge_core.events import BEST, Score
from softmerge_core.experiments.compare.labels import cells, cost, curves, judged, levels, report, said, table
from softmerge_core.experiments.compare.spec import CompareSpec, MethodChoice
from softmerge_core.experiments.tables import as_csv
from softmerge_core.statistics import pack

N = 1000
SPEC = CompareSpec(
    methods=tuple(MethodChoice(method=name) for name in ("average", "soft", "fine_tuning")), labels=(20, 100), seeds=3
)


def score(series: str, right: int, labels: int = 0, seed: int = 0, first: int = 0) -> Score:
    """A network that gets ``right`` of the samples right, from the ``first`` on, and one less for each seed."""
    correct = pack(first <= number < first + right - seed for number in range(N))
    return Score(step=1, series=series, labels=labels, seed=seed, accuracy=(right - seed) / N, correct=correct)


def line(series: str, *rights: int, numbers: tuple[int, ...] = (20, 100, 400)) -> list[Score]:
    """Three seeds of a method with each number of labels."""
    return [score(series, right, n, seed) for n, right in zip(numbers, rights, strict=True) for seed in range(3)]


def test_what_needs_no_labels_is_level_and_the_others_are_curves_with_the_best_source() -> None:
    scores = [score("source-1", 700), score(BEST, 700), score("average", 800), score("soft", 900)]
    scores += [*line("soft", 810, 820, 830), *line(BEST, 700, 710, 720)]
    assert {key: list(found) for key, found in curves(scores).items()} == {
        "soft": [20, 100, 400],
        BEST: [20, 100, 400],
    }
    assert list(levels(scores)) == ["average"]


def test_what_a_resumed_run_repeats_counts_once_and_what_failed_not_at_all() -> None:
    again = [score("soft", 800, 20), score("soft", 810, 20), Score(step=1, series="soft", labels=100, problem="none")]
    assert {n: [one.accuracy for one in cell] for n, cell in curves(again)["soft"].items()} == {20: [0.81]}


def test_up_to_how_many_labels_one_is_above_and_from_where_on_below() -> None:
    few = [*line("soft", 850, 852, 800, 800, numbers=(20, 50, 100, 400))]
    few += line("fine_tuning", 750, 752, 800, 900, numbers=(20, 50, 100, 400))
    said = judged(few)
    assert said.startswith(
        "Soft merge is above Fine-tuned merge with up to 50 labels (by 10.0\u00a0points) and below it with 400 labels "
        "(by 10.0\u00a0points), and cannot be told apart from it with 100 labels. "
    )
    assert "Means of 3 seeds, each another draw of the samples" in said


def test_a_loss_is_told_as_plainly_as_a_gain() -> None:
    said = judged([*line("soft", 700, 710, 720), *line("fine_tuning", 800, 810, 820), score("average", 750)])
    assert "Soft merge is below Fine-tuned merge with every number of labels (by 10.0\u00a0points)." in said
    assert "It is below the plain average, which needs no labels, with every number of labels (by " in said
    assert "Highest mean of all: Fine-tuned merge with every number of labels." in said


def test_a_merge_without_labels_may_be_the_highest() -> None:
    scores = [*line("soft", 700, 760, 790), *line("fine_tuning", 600, 770, 800), score("average", 750)]
    highest = "Highest mean of all: Plain average with 20 labels and Fine-tuned merge from 100 labels on."
    assert highest in judged(scores)


def test_equal_methods_are_not_told_apart_with_any_number() -> None:
    said = judged([*line("soft", 800, 800, 800), *line("fine_tuning", 801, 799, 800)])
    assert said.startswith("Soft merge cannot be told apart from Fine-tuned merge with any number of labels.")


def test_one_method_alone_is_compared_with_what_needs_no_labels_and_never_with_itself() -> None:
    assert judged([*line("distillation", 900, 900, 900), *line(BEST, 700, 700, 700)]).startswith(
        "Distillation is above the best source with every number of labels (by 20.0\u00a0points)."
    )
    assert "Soft merge and" not in judged(line("soft", 900, 900, 900))


def test_draws_that_both_had_are_taken_in_pairs() -> None:
    """Seeds lie far apart, and in each the first is two points above: as if they were others', nothing would show."""
    generator, scores = np.random.default_rng(0), []
    for seed, right in enumerate((650, 750, 850)):
        taken = generator.permutation(N)
        for series, more in (("soft", 30), ("fine_tuning", 0)):
            known = np.isin(np.arange(N), taken[: right + more])
            scores.append(
                Score(step=1, series=series, labels=20, seed=seed, accuracy=known.mean(), correct=pack(known.tolist()))
            )
    assert judged(scores).startswith("Soft merge is above Fine-tuned merge with 20 labels (by 3.0\u00a0points).")


def test_only_seeds_that_both_have_are_compared() -> None:
    scores = [score("soft", 900, 20), score("soft", 500, 20, seed=1, first=100), score("fine_tuning", 800, 20)]
    assert "above Fine-tuned merge with 20 labels (by 10.0\u00a0points)" in judged(scores)
    assert "Means of up to 2 seeds, each another draw of the samples" in judged(scores)


def test_a_live_run_says_how_far_it_is_and_a_stopped_one_that_it_has_nothing() -> None:
    assert said(SPEC, [], live=True) == "Drawn once every method has merged with all labels."
    assert said(SPEC, [], live=False) == "The run ended before this picture."
    few = [*line(BEST, 700, 700, numbers=(20, 100)), score("soft", 800, 20), score("fine_tuning", 700, 20)]
    assert said(SPEC, few, live=True) == "2 of 12 merges so far."
    assert said(SPEC, few, live=False).startswith(
        "2 of 12 merges were done. Soft merge is above Fine-tuned merge with 20 "
    )
    more = [*few, score("soft", 810, 100), score("fine_tuning", 750, 100)]
    assert said(SPEC, more, live=True).startswith("4 of 12 merges so far. Soft merge is above Fine-tuned merge with ")
    assert "One seed, one draw of the samples" in said(SPEC, more, live=True)


def test_the_cost_counts_the_merges_that_are_added() -> None:
    assert cost(SPEC) == (
        "Adds 12 merges (2 methods that look at labels, 2 numbers of labels, 3 seeds) to the 7 of the comparison."
    )
    assert cost(SPEC.model_copy(update={"labels": ()})) == ""


def test_the_numbers_as_a_table_and_in_the_result() -> None:
    scores = [score("average", 800), *line("soft", 900, 910, numbers=(20, 100)), score("fine_tuning", 700, 20)]
    head, rows = cells(SPEC, scores)
    assert head == ["Method", "20", "100"]
    assert [(row[0], row[1].split()[0], row[2].split()[0]) for row in rows] == [
        ("Fine-tuned merge", "70.0", "none"),
        ("Soft merge", "89.9", "90.9"),
        ("Plain average (no labels)", "80.0", "80.0"),
    ]
    text = as_csv(table(scores).head, table(scores).rows)
    assert "Soft merge,100,2,90.8," in text
    assert "Plain average,,0,80," in text
    found = report(SPEC, scores)["labels"]
    assert {(row["method"], row["labels"], row["seeds"]) for row in found["rows"]} == {
        ("soft", 20, 3), ("soft", 100, 3), ("fine_tuning", 20, 1),
    }  # fmt: skip
    assert found["rows"][0]["mean"] == pytest.approx(0.7)
    assert found["rows"][0]["low"] < 0.7 < found["rows"][0]["high"]
    assert report(CompareSpec(), scores) == {}
