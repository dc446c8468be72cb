"""The kept network is found among the events of a run, whichever stage or baseline it is."""

import json
import math
from typing import Any

import pytest

from softmerge_core.events import Evaluation, Event, Stage, parse_event
from softmerge_core.experiments.merge.kept import Kept, kept_network
from softmerge_core.runs import RunStore


def evaluation(step: int, loss: float, series: str = "soft") -> Evaluation:
    return Evaluation(step=step, series=series, split="validation", accuracy=0.5, loss=loss)


def two_stages() -> list[Event]:
    return [
        Stage(step=0, stage="model", title="model gates"),
        evaluation(0, 0.9),
        evaluation(5, 0.3),
        evaluation(10, 0.4),
        Stage(step=10, stage="layer", title="layer gates, refined"),
        evaluation(10, 0.5),
        evaluation(15, 0.31, "average"),
        evaluation(20, 0.3),
    ]


def result(winner: str, loss: float | None = 0.3, accuracy: float | None = 0.88) -> dict[str, Any]:
    return {"winner": winner, "validation_loss": {"soft": loss}, "validation_accuracy": {"soft": accuracy}}


@pytest.mark.parametrize(
    ("winner", "expected"),
    [
        ("model", Kept("model", "model gates", 0.88, 5)),
        ("layer", Kept("layer", "layer gates, refined", 0.88, 20)),
        ("average", Kept("average", "plain average", 0.88)),
        ("channel", Kept("channel", "channel gates", 0.88)),  # a stage that the events do not tell of
    ],
)
def test_the_kept_network_is_the_evaluation_of_the_winners_stage_with_its_loss(winner: str, expected: Kept) -> None:
    assert kept_network(result(winner), two_stages()) == expected


def test_the_best_source_is_named() -> None:
    kept = kept_network({**result("best_source"), "best_source": "shard 3"}, two_stages())
    assert kept == Kept("best_source", "best source (shard 3)", 0.88)
    assert not kept.learned


def test_of_equal_evaluations_it_is_the_last() -> None:
    events = [*two_stages()[:4], evaluation(12, 0.3)]
    kept = kept_network(result("model"), events)
    assert kept is not None
    assert kept.step == 12


def test_there_is_none_before_the_end_and_none_that_is_not_told() -> None:
    assert kept_network(None, two_stages()) is None
    assert kept_network({"accuracy": {}}, two_stages()) is None
    unknown = kept_network(result("model", None, None), two_stages())
    assert unknown is not None
    assert unknown.step is None
    assert math.isnan(unknown.accuracy)


def test_it_is_found_in_the_shipped_run() -> None:
    folder = RunStore().folder("example:first-look")
    lines = (folder / "events.jsonl").read_text(encoding="utf-8").splitlines()
    known = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    kept = kept_network(known, [parse_event(line) for line in lines])
    assert kept == Kept("channel", "channel gates, refined", known["validation_accuracy"]["soft"], 675)
