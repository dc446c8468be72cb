"""Sentences say what the numbers say, and say honestly where there is nothing to say."""

import math
from typing import Any

import pytest

from softmerge_core.checkpoints.files import save_checkpoint
from softmerge_core.events import Evaluation, Event, Gates, Loss, Stage
from softmerge_core.experiments.merge import words
from softmerge_core.experiments.merge.kept import Kept
from softmerge_core.experiments.merge.rows import gate_rows
from softmerge_core.experiments.merge.words import memory_sentence
from softmerge_core.home import home
from softmerge_core.memory import memory_text
from softmerge_core.settings import AttackSettings, SourceSpec
from softmerge_core.statistics import pack
from softmerge_core.zoo import load_source
from tests.experiments.merge.specs import FAST, merge_spec


def gates(*value: tuple[float, ...]) -> list[Event]:
    return [Gates(step=1, stage="layer", probability=value, value=value)]


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([], "Waiting for the first gates."),
        (gates((1, 0.5, 0), (0.1, 0, 0)), "1 of 3 sources is closed everywhere; 50\u00a0% of gates are open."),
        (
            gates(
                (1, 0, 0),
            ),
            "2 of 3 sources are closed everywhere; 33\u00a0% of gates are open.",
        ),
        (
            gates(
                (1, 0.2),
            ),
            "All 2 sources take part; 100\u00a0% of gates are open.",
        ),
        (gates(*[(1.0, 1.0)] * 400, (1, 0)), "All 2 sources take part; 99\u00a0% of gates are open."),
        (
            gates(
                (0, 0),
            ),
            "2 of 2 sources are closed everywhere; 0\u00a0% of gates are open.",
        ),
    ],
)
def test_gates(events: list[Event], sentence: str) -> None:
    assert words.gates_sentence(events) == sentence


def test_one_gate_is_read_with_its_names() -> None:
    rows = gate_rows(("head 0", "body"), ("head", "body"), ((0.75, 0.2), (1, 0)), ((0.5, 0.0), (1.0, 0.999)), (1.5, 1))
    said = [words.gate_text(rows, ("<a>", "b"), row, source) for row in (0, 1) for source in (0, 1)]
    assert said == [
        "head, channel 0 from <a>: P(open) = 0.75, gate z = 0.50.",
        "head, channel 0 from b: P(open) = 0.20, gate z = 0, closed.",
        "body from <a>: P(open) = 1.00, gate z = 1, fully open.",
        "body from b: P(open) = 0.00, gate z = over 0.99.",
    ]
    assert words.factor_text(rows, 0) == "head, channel 0: the merged weights are multiplied by 1.50."
    for part, source in ((2, 0), (0, 2)):
        assert words.gate_text(rows, ("<a>", "b"), part, source) == "The cell you clicked belongs to another stage."
    assert words.factor_text(rows, 2) == "The cell you clicked belongs to another stage."


def test_a_row_of_several_channels_is_read_as_their_mean() -> None:
    parts, groups = ("head 0", "head 1"), ("head", "head")
    rows = gate_rows(parts, groups, ((0.75,), (0.25,)), ((0.5,), (0.0,)), (2, 2), most=1)
    said = words.gate_text(rows, ("a",), 0, 0)
    assert said == "head, channels 0 to 1 from a: mean P(open) = 0.50, gate z = 0.25."
    assert words.factor_text(rows, 0).endswith("multiplied by 2.00 on average.")


@pytest.mark.parametrize(("value", "text"), [(0, "0, closed"), (1, "1, fully open"), (0.001, "under 0.01"),
                                             (0.9999, "over 0.99"), (0.994, "0.99"), (0.006, "0.01")])  # fmt: skip
def test_only_exact_gates_look_so(value: float, text: str) -> None:
    assert words.value_text(value) == text


def test_losses() -> None:
    assert words.losses_sentence([]) == "Waiting for the first losses."
    loss = Loss(step=1200, series="soft", task=0.5, penalty=0.25, total=0.75)
    said = "At step 1,200, on one batch: task loss 0.500 + penalty 0.250 = 0.750 nats."
    assert words.losses_sentence([loss]) == said
    unlabelled = words.losses_sentence([loss], objective="ensemble")
    assert unlabelled == said.replace("task loss", "loss against what the sources predict together")
    broken = Loss(step=5, series="soft", task=math.nan, total=math.nan)
    assert words.losses_sentence([loss, broken]) == "At step 5 the loss stopped being a finite number."


def stages_with_losses() -> list[Event]:
    def loss(step: int, task: float) -> Loss:
        return Loss(step=step, series="soft", task=task, penalty=0.1, total=task + 0.1)

    return [
        Stage(step=0, stage="model", title="model gates"), loss(4, 0.9), loss(8, 0.5),
        Stage(step=8, stage="layer", title="layer gates"), loss(12, 0.3), loss(16, 0.7),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (
            Kept("layer", "layer gates", 0.9, 12),
            "At the kept step 12, on one batch: task loss 0.300 + penalty 0.100 = 0.400 nats.",
        ),
        (
            Kept("layer", "layer gates", 0.9, 14),
            "At the kept step 14, on one batch: task loss 0.300 + penalty 0.100 = 0.400 nats.",
        ),
        (
            Kept("model", "model gates", 0.9, 8),
            "At the kept step 8, on one batch: task loss 0.500 + penalty 0.100 = 0.600 nats.",
        ),
        (Kept("layer", "layer gates", 0.9, 8), "The gates that were kept are those before training."),
        (Kept("average", "plain average", 0.9), "Kept: plain average. None of the gates trained here was."),
    ],
)
def test_losses_of_a_finished_run_are_those_of_the_kept_gates(kept: Kept, said: str) -> None:
    assert words.losses_sentence(stages_with_losses(), kept=kept) == said


def accuracy(series: str, value: float) -> Evaluation:
    return Evaluation(step=1, series=series, split="validation", accuracy=value, loss=1)


@pytest.mark.parametrize(
    ("average", "end"),
    [
        (None, "."), (0.806, ", 4.0\u00a0points above plain averaging."),
        (0.9, ", 5.4\u00a0points below plain averaging."),
     (0.846, ", as plain averaging does.")],
)  # fmt: skip
def test_accuracy(average: float | None, end: str) -> None:
    events = [accuracy("soft", 0.846)] + ([] if average is None else [accuracy("average", average)])
    start = "The soft merge classifies 84.6\u00a0% of the validation data correctly"
    assert words.accuracy_sentence(events) == start + end
    assert words.accuracy_sentence([]) == "Waiting for the first evaluation."
    kept = {"soft": 0.846, "average": average, "ensemble": 1.0, "sources": [1.0]}
    assert words.accuracy_sentence([accuracy("soft", 0.1), accuracy("average", 0.2)], kept) == start + end


def test_a_finished_run_tells_which_network_was_kept() -> None:
    scores = {"soft": 0.846, "average": 0.806}
    layer, average = Kept("layer", "layer gates", 0.846, 12), Kept("average", "plain average", 0.806)
    said = "Kept: layer gates. Right on 84.6\u00a0% of the validation data, 4.0\u00a0points above plain averaging."
    assert words.accuracy_sentence([accuracy("soft", 0.3)], scores, layer) == said
    alone = words.accuracy_sentence([], {"soft": 0.806, "average": 0.806}, average)
    assert alone == "Kept: plain average. Right on 80.6\u00a0% of the validation data."
    assert words.kept_gates_sentence(layer, gates((1, 0))) == (
        "Kept: layer gates. 1 of 2 sources is closed everywhere; 50\u00a0% of gates are open."
    )
    assert words.kept_gates_sentence(average, gates((1, 1))) == "Kept: plain average. It has no trained gates."


def result(soft: float | None, average: float, best: float, ensemble: float) -> dict[str, Any]:
    accuracies = {"soft": soft, "average": average, "best_source": best, "ensemble": ensemble, "sources": [0] * 4}
    return {"accuracy": accuracies}


def right(*ranges: range) -> str:
    """The record of a network that gets these of 1,000 samples right."""
    return pack(any(number in some for some in ranges) for number in range(1000))


def test_a_gain_is_given_in_points() -> None:
    sentence = words.gain_sentence(result(0.846, 0.80, 0.789, 0.87), 10_000)
    expected = (
        "Soft merging is 4.6\u00a0points above plain averaging, 5.7\u00a0points above the best single source "
        "and 2.4\u00a0points below the ensemble of all 4. "
        "The best single source is the one with the lowest validation loss; none is better on the test samples. "
        "One seed."
    )
    assert sentence == expected


def test_what_the_samples_cannot_tell_apart_is_no_gain_and_they_say_how_much_they_resolve() -> None:
    sentence = words.gain_sentence(result(0.846, 0.79, 0.789, 0.86), 1000)
    assert "It cannot be told apart from the ensemble of all 4 on 1,000 test samples" in sentence
    assert "(the smallest gap they resolve is about 4.4\u00a0points)" in sentence
    assert "This run did not keep which samples each network gets right" in sentence
    assert "1.4\u00a0points" not in sentence


def test_the_same_samples_tell_apart_what_two_accuracies_alone_cannot() -> None:
    found = result(0.82, 0.8, 0.8, 0.83)
    sources = [right(range(800))] * 4
    found["correct"] = {"soft": right(range(820)), "average": right(range(800)), "best_source": right(range(800)),
                        "ensemble": right(range(100, 930)), "sources": sources}  # fmt: skip
    sentence = words.gain_sentence(found, 1000)
    assert "2.0\u00a0points above plain averaging" in sentence
    assert "cannot be told apart from the ensemble of all 4" in sentence
    assert "did not keep" not in sentence
    assert "cannot be told apart from plain averaging" in words.gain_sentence(result(0.82, 0.8, 0.7, 0.9), 1000)


def test_a_network_that_is_right_on_the_same_samples_is_called_so() -> None:
    kept = {"soft": right(range(800)), "best_source": right(range(800))}
    sentence = words.gain_sentence({"accuracy": {"soft": 0.8, "best_source": 0.8}, "correct": kept}, 1000)
    assert sentence == "Soft merging is right on exactly the same samples as the best single source. One seed."


def test_the_source_that_is_best_on_test_data_is_compared_with_too() -> None:
    found = result(0.957, 0.922, 0.91, 0.938)
    found["accuracy"] = {**found["accuracy"], "sources": [0.91, 0.932, None]}
    sentence = words.gain_sentence(found, 600)
    assert "4.7\u00a0points above the best single source" in sentence
    assert sentence.count("lowest validation loss; another one is right on 93.2\u00a0% of the test samples") == 1
    assert "and soft merging cannot be told apart from it." in sentence
    assert "and soft merging is 2.5\u00a0points above it." in words.gain_sentence(found, 6000)


def test_a_loss_is_called_one() -> None:
    sentence = words.gain_sentence(result(0.6, 0.8, 0.7, 0.9), 1000)
    assert sentence.startswith(
        "Soft merging is 20.0\u00a0points below plain averaging, 10.0\u00a0points below the best"
    )


def test_without_numbers_there_is_no_claim() -> None:
    assert words.gain_sentence(result(None, 0.8, 0.7, 0.9), 100) == "There is no test accuracy to compare."
    assert words.gain_sentence({"accuracy": {"soft": 0.5}}, 100) == "There is no test accuracy to compare."


def test_equal_and_perfect_accuracies_are_no_difference() -> None:
    sentence = words.gain_sentence({"accuracy": {"soft": 1.0, "average": 1.0}}, 100)
    assert sentence.startswith("Soft merging cannot be told apart from plain averaging on 100 test samples")


def test_the_memory_of_a_merge_is_said_before_it_starts(pair: tuple[SourceSpec, SourceSpec]) -> None:
    module = load_source(pair[0]).module
    network = 4 * sum(parameter.numel() for parameter in module.parameters())
    spoiled = pair[1].model_copy(update={"attack": AttackSettings(kind="noise")})
    relative = FAST.model_copy(update={"relative": True})
    for spec, networks in (
        (merge_spec(*pair), 2 + 5),
        (merge_spec(pair[0], spoiled), 2 + 5 + 1),
        (merge_spec(*pair, align="weights"), 2 + 5 + 2),
        (merge_spec(*pair, settings=relative), 2 + 5 + 2),
    ):
        expected = f"Weights will take about {memory_text(networks * network)} of memory."
        assert memory_sentence(spec) == expected
    path = home() / "half.safetensors"
    save_checkpoint(module.half(), path)
    half = SourceSpec(model=str(path))
    assert memory_text(2 * network // 2 + 5 * network) in memory_sentence(merge_spec(half, half))
    assert memory_sentence(merge_spec(pair[0], SourceSpec(model="library/gone"))) == ""


def with_yardsticks(trunk: float, joint: float, soft: float = 0.6) -> dict[str, Any]:
    found = result(soft, 0.4, 0.3, 0.5)
    return {**found, "accuracy": {**found["accuracy"], "trunk": trunk, "joint": joint}}


def test_the_trunk_and_joint_training_are_told_beside_a_gain() -> None:
    sentence = words.gain_sentence(with_yardsticks(0.55, 0.8), 6000)
    assert "The trunk that all started from has 55.0\u00a0%; soft merging is 5.0\u00a0points above it." in sentence
    assert "Joint training on all samples reaches 80.0\u00a0%, of whose gain over the best source merging" in sentence
    assert "merging recovers 60\u00a0%." in sentence


def test_a_merge_below_the_trunk_says_so() -> None:
    assert "has 70.0\u00a0%; soft merging is 10.0\u00a0points below it." in words.gain_sentence(
        with_yardsticks(0.7, 0.8), 6000
    )
    assert "soft merging cannot be told apart from it." in words.gain_sentence(with_yardsticks(0.601, 0.8), 1000)


def test_nothing_is_recovered_where_joint_training_gains_nothing() -> None:
    for joint in (0.3, 0.301, 0.2):
        assert "recovers" not in words.gain_sentence(with_yardsticks(0.5, joint), 1000)
