"""The sentences about federated runs: honest about chance, and true of the newest round."""

import math
from typing import Any

import pytest

from softmerge_core.events import Evaluation, Event, FederatedRound, Shards
from softmerge_core.experiments.federated.words import (
    clients_sentence,
    drift_sentence,
    gates_sentence,
    histories,
    late_accuracy,
    rounds_sentence,
    run_rows,
    run_title,
    shards_sentence,
    verdict,
)
from softmerge_core.federated.settings import FederatedRun
from tests.experiments.federated.specs import RUNS, spec

OVERLAID = (FederatedRun(), FederatedRun(scope=True), FederatedRun(aggregation="soft"))


def history(*values: float) -> dict[str, list[float]]:
    return {run.key: [value] * 2 for run, value in zip(RUNS, values, strict=False)}


def test_the_sentence_is_honest() -> None:
    assert verdict(spec(), {}) == "Waiting for the first round."
    ahead = verdict(spec(), history(0.7, 0.6, 0.8))
    assert ahead.startswith(
        "After 2 of 3 rounds SCAFFOLD, soft merge (80.0\u00a0%) is 10.0\u00a0points above FedAvg, the next (one seed)."
    )
    assert ahead.endswith("Scope alignment: −10.0\u00a0points for FedAvg.")
    equal = verdict(spec(), history(0.7, 0.7, 0.75))
    assert "the 3 runs cannot be told apart on 600 test samples (the smallest gap they resolve is about" in equal
    assert verdict(spec(), history(0.7, 0.71, 0.9)).endswith("Scope alignment: not to be told apart for FedAvg.")
    assert "and FedAvg (79.5\u00a0%) are ahead" in verdict(spec(), history(0.795, 0.6, 0.8))
    assert (
        verdict(spec(RUNS[:1]), history(0.7))
        == "After 2 of 3 rounds FedAvg classifies 70.0\u00a0% of the test data correctly (one seed)."
    )
    assert run_title(RUNS[1]) == "FedAvg with scope alignment"
    assert late_accuracy([0.1, 0.4, 0.5, 0.6]) == pytest.approx(0.5)
    assert math.isclose(late_accuracy([0.4]) or 0, 0.4)


def told(run: FederatedRun, step: int, accuracy: float, **fields: Any) -> list[Event]:
    values = {"clients": (0, 1, 3), "accuracies": (0.2, 0.4, 0.9), "drift": 0.1, "spread": 0.01, **fields}
    return [
        Evaluation(step=step, series=run.key, split="test", accuracy=accuracy, loss=1.0),
        FederatedRound.model_validate({"step": step, "series": run.key, **values}),
    ]


def test_sentences_follow_the_newest_round_of_each_run() -> None:
    wanted = spec(OVERLAID, malicious=1, rounds=2)
    start = Evaluation(step=0, series="fedavg", split="test", accuracy=0.1, loss=2.0)
    events = [start, *told(OVERLAID[0], 1, 0.5), *told(OVERLAID[0], 2, 0.6, drift=0.2), *told(OVERLAID[1], 1, 0.4)]
    assert histories(events) == {"fedavg": [0.5, 0.6], "fedavg+scope": [0.4]}
    assert verdict(wanted, histories(events)).startswith("After 2 of 2 rounds FedAvg")
    assert rounds_sentence(events, wanted).endswith(
        "Newest: FedAvg 60.0\u00a0%, FedAvg with scope alignment 40.0\u00a0%."
    )
    assert clients_sentence(events, wanted).endswith("honest clients: 20.0 to 40.0\u00a0%.")
    assert "least with FedAvg with scope alignment (0.1), most with FedAvg (0.2)" in drift_sentence(events, wanted)
    rows = run_rows(events, wanted)
    assert rows[0] == ("FedAvg", "55.0\u00a0%", "", "60.0\u00a0% (2)")
    assert rows[1] == ("FedAvg with scope alignment", "40.0\u00a0%", "−15.0", "40.0\u00a0% (1)")
    assert rows[2][1] == "waiting"
    assert rounds_sentence([], wanted) == "Waiting for the first round."


def test_the_table_shows_the_last_round_and_picks_none() -> None:
    events = [
        Evaluation(step=step, series="fedavg", split="test", accuracy=accuracy, loss=1.0)
        for step, accuracy in enumerate((0.4, 0.9, 0.5), start=1)
    ]
    assert run_rows(events, spec(OVERLAID))[0][3] == "50.0\u00a0% (3)"


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ((1.0, 0.5, 0.0), "the gates closed on client 4: all the malicious clients and no others."),
        ((0.0, 0.5, 0.0), "the gates closed on clients 1 and 4, but client 1 is honest."),
        (
            (0.0, 0.5, 0.9),
            "closed on client 1, but client 1 is honest; client 4 is malicious but not closed.",
        ),
        ((1.0, 0.5, 0.9), "the gates closed on no client, although client 4 is malicious."),
    ],
)
def test_whom_the_gates_closed_on(gates: tuple[float, ...], said: str) -> None:
    assert gates_sentence(told(OVERLAID[2], 1, 0.5, gates=gates), spec(OVERLAID, malicious=1, rounds=2)).endswith(said)


def test_how_uneven_the_shards_are() -> None:
    said = shards_sentence(Shards(step=0, counts=((3, 1), (0, 4)), malicious=(False, False)))
    assert "87.5\u00a0%" in said
    assert "1.5 of 2 classes" in said
    assert shards_sentence(None) == "Waiting for the shards."
