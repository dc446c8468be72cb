"""Sentences say what the numbers say, and say honestly where there is nothing to say."""

import math

import pytest

from softmerge_core.events import Evaluation, Event, Gates, Loss, Stage
from softmerge_core.experiments.merge import words


def gates(*value: tuple[float, ...]) -> list[Event]:
    return [Gates(step=1, stage="layer", probability=value, value=value)]


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([], "Waiting for the first gates."),
        (gates((1, 0.5, 0), (0.1, 0, 0)), "1 of 3 sources is closed everywhere; 50 % of gates are open."),
        (
            gates(
                (1, 0, 0),
            ),
            "2 of 3 sources are closed everywhere; 33 % of gates are open.",
        ),
        (
            gates(
                (1, 0.2),
            ),
            "All 2 sources take part; 100 % of gates are open.",
        ),
        (gates(*[(1.0, 1.0)] * 400, (1, 0)), "All 2 sources take part; 99 % of gates are open."),
        (
            gates(
                (0, 0),
            ),
            "2 of 2 sources are closed everywhere; 0 % of gates are open.",
        ),
    ],
)
def test_gates(events: list[Event], sentence: str) -> None:
    assert words.gates_sentence(events) == sentence


def test_one_gate_is_read_with_its_names() -> None:
    stage = Stage(step=0, stage="layer", title="layers", parts=("head", "body"), sources=("<a>", "b"))
    table = Gates(step=1, stage="layer", probability=((0.75, 0.2), (1, 0)), value=((0.5, 0.0), (1.0, 0.25)))
    assert words.gate_text(stage, table, 0, 0) == "head from <a>: P(open) = 0.75, gate z = 0.50."
    assert words.gate_text(stage, table, 0, 1) == "head from b: P(open) = 0.20, gate z = 0.00, exactly closed."
    assert words.gate_text(stage, table, 1, 0) == "body from <a>: P(open) = 1.00, gate z = 1.00, exactly open."
    for part, source in ((2, 0), (0, 2)):
        assert words.gate_text(stage, table, part, source) == "The cell you clicked belongs to another stage."


def test_losses() -> None:
    assert words.losses_sentence([]) == "Waiting for the first losses."
    loss = Loss(step=1200, series="soft", task=0.5, penalty=0.25, total=0.75)
    said = "At step 1,200: task loss 0.500 + penalty 0.250 = 0.750 nats."
    assert words.losses_sentence([loss]) == said
    broken = Loss(step=5, series="soft", task=math.nan, total=math.nan)
    assert words.losses_sentence([loss, broken]) == "At step 5 the loss stopped being a finite number."


def accuracy(series: str, value: float) -> Evaluation:
    return Evaluation(step=1, series=series, split="validation", accuracy=value, loss=1)


@pytest.mark.parametrize(
    ("average", "end"),
    [(None, "."), (0.806, ", 4.0 points above plain averaging."), (0.9, ", 5.4 points below plain averaging."),
     (0.846, ", as plain averaging does.")],
)  # fmt: skip
def test_accuracy(average: float | None, end: str) -> None:
    events = [accuracy("soft", 0.846)] + ([] if average is None else [accuracy("average", average)])
    start = "The soft merge classifies 84.6 % of the validation data correctly"
    assert words.accuracy_sentence(events) == start + end
    assert words.accuracy_sentence([]) == "Waiting for the first evaluation."
    kept = {"soft": 0.846, "average": average, "ensemble": 1.0, "sources": [1.0]}
    assert words.accuracy_sentence([accuracy("soft", 0.1), accuracy("average", 0.2)], kept) == start + end


def result(soft: float | None, average: float, best: float, ensemble: float) -> dict[str, object]:
    accuracies = {"soft": soft, "average": average, "best_source": best, "ensemble": ensemble, "sources": [0] * 4}
    return {"accuracy": accuracies}


def test_a_gain_is_given_in_points() -> None:
    sentence = words.gain_sentence(result(0.846, 0.80, 0.789, 0.87), 10_000)
    expected = (
        "Soft merging is 4.6 points above plain averaging, 5.7 points above the best single source "
        "and 2.4 points below the ensemble of all 4."
    )
    assert sentence == expected


def test_a_difference_within_one_standard_error_is_none() -> None:
    sentence = words.gain_sentence(result(0.846, 0.806, 0.789, 0.84), 1000)
    assert "no different from the ensemble of all 4" in sentence
    assert "closer than one standard error, 1.6 points on 1,000 test samples" in sentence
    assert "0.6 points" not in sentence


def test_a_loss_is_called_one() -> None:
    sentence = words.gain_sentence(result(0.6, 0.8, 0.7, 0.9), 1000)
    assert sentence.startswith("Soft merging is 20.0 points below plain averaging, 10.0 points below the best")


def test_without_numbers_there_is_no_claim() -> None:
    assert words.gain_sentence(result(None, 0.8, 0.7, 0.9), 100) == "There is no test accuracy to compare."
    assert words.gain_sentence({"accuracy": {"soft": 0.5}}, 100) == "There is no test accuracy to compare."


def test_equal_and_perfect_accuracies_are_no_difference() -> None:
    sentence = words.gain_sentence({"accuracy": {"soft": 1.0, "average": 1.0}}, 100)
    assert sentence.startswith("Soft merging is no different from plain averaging.")
