"""Federated learning as an experiment: what is refused, what it tells, and that it goes on where it was cut short."""

import math
import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from softmerge_core.data.partitions import ShardSettings
from softmerge_core.errors import DataError, NotFoundError, SettingsError
from softmerge_core.events import Evaluation, FederatedRound, Notice, Progress, Shards
from softmerge_core.experiments import experiment, parse_spec
from softmerge_core.experiments.federated.spec import FederatedSpec, counts_of, late_accuracy, run_title, sentence
from softmerge_core.federated import server
from softmerge_core.federated.settings import FederatedRun, FederationSettings
from softmerge_core.runs import files
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import conduct
from softmerge_core.settings import DataSpec

SMALL = {"clients": 4, "rounds": 3, "local_epochs": 1, "server_samples": 40, "learning_rate": 0.1, "merge_steps": 4}
RUNS = (FederatedRun(), FederatedRun(scope=True), FederatedRun(algorithm="scaffold", aggregation="soft"))


def spec(runs: Sequence[FederatedRun] = RUNS, *, shards: ShardSettings | None = None, **fields: Any) -> FederatedSpec:
    return FederatedSpec(
        data=DataSpec(dataset="moons", train_samples=240),
        network="mlp",
        shards=shards or ShardSettings(alpha=0.5),
        settings=FederationSettings.model_validate({**SMALL, **fields}),
        runs=tuple(runs),
    )


@pytest.mark.parametrize(
    ("wrong", "error", "words"),
    [
        (spec(malicious=4), SettingsError, "fewer than the 4 clients"),
        (spec(participation=0.1), SettingsError, "participation: expected a share that leaves one of 4"),
        (spec(clients=150), SettingsError, "150 clients for 200 samples"),
        (spec(server_samples=240), SettingsError, "fewer than the 240"),
        (spec(shards=ShardSettings(kind="classes", classes=3)), SettingsError, "at most the 2"),
        (spec(()), SettingsError, "1 to 16"),
        (spec((FederatedRun(), FederatedRun())), SettingsError, "'fedavg' 2 times"),
        (spec((FederatedRun(algorithm="fednone"),)), NotFoundError, "fedavg, fedprox"),
        (spec((FederatedRun(settings={"mu": 1}),)), SettingsError, "settings of FedAvg"),
        (spec().model_copy(update={"network": "nonet"}), NotFoundError, "nonet"),
        (spec().model_copy(update={"network": "cnn1d"}), DataError, "sequence"),
        (spec().model_copy(update={"data": DataSpec(dataset="none")}), NotFoundError, "none"),
    ],
)
def test_what_is_wrong_is_refused_before_any_work(wrong: FederatedSpec, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        experiment("federated").check(wrong)


@pytest.mark.parametrize(
    "values", [{"shards": {"alpha": 0}}, {"settings": {"clients": 0}}, {"runs": [{"aggregation": "x"}]}]
)
def test_numbers_out_of_range_are_refused_by_name(values: dict[str, Any]) -> None:
    with pytest.raises(SettingsError, match=next(iter(values))):
        parse_spec({"kind": "federated", **values})


def done(store: RunStore, wanted: FederatedSpec, spread: Any = None) -> Any:
    run_id = store.create(wanted)
    assert conduct(store.folder(run_id), spread=spread) == "finished"
    return store.read(run_id)


def plain(view: Any) -> list[dict[str, Any]]:
    return [event.model_dump(mode="json", exclude={"seconds"}) for event in view.events]


def test_every_round_of_every_run_is_told(tmp_path: Path) -> None:
    view = done(RunStore(tmp_path), spec())
    (shards,) = [event for event in view.events if isinstance(event, Shards)]
    assert shards.counts == counts_of(spec())
    assert sum(map(sum, shards.counts)) == 200
    for run in RUNS:
        tested = [e for e in view.events if isinstance(e, Evaluation) and e.series == run.key]
        rounds = [e for e in view.events if isinstance(e, FederatedRound) and e.series == run.key]
        assert [event.step for event in tested] == [0, 1, 2, 3]
        assert [event.step for event in rounds] == [1, 2, 3]
        assert all(event.clients == (0, 1, 2, 3) for event in rounds)
        assert all(0 <= a <= 1 for event in rounds for a in event.accuracies)
        assert all(event.drift > 0 and event.spread >= 0 for event in rounds)
        assert all(len(event.gates) == (4 if run.aggregation == "soft" else 0) for event in rounds)
    assert [e.step for e in view.events if isinstance(e, Progress)] == [0, 1, 2, 3]
    assert [row["key"] for row in view.result["rows"]] == ["fedavg", "fedavg+scope", "scaffold/soft"]


def pickled(
    function: Callable[[Any], Any], tasks: Sequence[Any], should_stop: Callable[[], bool]
) -> Iterator[tuple[int, Any]]:
    """As workers do: through pickles, one thread each, in an order of their own."""
    torch.set_num_threads(1)
    for place in reversed(range(len(tasks))):
        task = pickle.dumps(tasks[place])
        assert len(task) < 200_000
        yield place, pickle.loads(pickle.dumps(function(pickle.loads(task))))


def test_parallel_or_in_turn_gives_the_same_bits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    store = RunStore(tmp_path)
    expected = plain(done(store, spec()))
    monkeypatch.setattr(server, "BUNDLE", 1)  # each client is a task
    assert plain(done(store, spec(), pickled)) == expected


def test_a_run_that_was_cut_short_goes_on_to_the_same_end(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    whole = done(store, spec())
    run_id = store.create(spec())
    folder = store.folder(run_id)
    calls = 0

    def cut(function: Any, tasks: Any, should_stop: Any) -> Iterator[tuple[int, Any]]:
        nonlocal calls
        calls += 1
        for place, task in enumerate(tasks):
            if calls == 3:
                (folder / files.REQUEST).write_text('"stop"')
                return
            yield place, function(task)

    conduct(folder, spread=cut)
    partial = store.read(run_id)
    assert partial.result is not None
    assert partial.result["rounds"] == 2
    (folder / files.REQUEST).unlink()
    assert conduct(folder) == "finished"
    again = store.read(run_id)
    assert again.result is not None
    assert again.result["rows"] == whole.result["rows"]
    seen = [(e.kind, getattr(e, "series", ""), e.step) for e in again.events if not isinstance(e, Progress)]
    assert len(seen) == len(set(seen))
    assert sorted(seen) == sorted(
        (e.kind, getattr(e, "series", ""), e.step) for e in whole.events if not isinstance(e, Progress)
    )


def test_clients_that_are_not_finite_are_named_in_a_notice(tmp_path: Path) -> None:
    view = done(RunStore(tmp_path), spec((FederatedRun(),), malicious=1, attack="nan", rounds=2))
    notices = [event.text for event in view.events if isinstance(event, Notice)]
    assert len(notices) == 1
    assert notices[0].startswith("FedAvg, from round 1 on: client 4 is left out")
    assert all(e.excluded == (3,) for e in view.events if isinstance(e, FederatedRound))


def test_shards_are_known_before_anything_is_run() -> None:
    counts = np.array(counts_of(spec(clients=5)))
    assert counts.shape == (5, 2)
    assert counts.sum() == 200
    assert (counts.sum(1) == 40).all()


def history(*values: float) -> dict[str, list[float]]:
    return {run.key: [value] * 2 for run, value in zip(RUNS, values, strict=False)}


def test_the_sentence_is_honest() -> None:
    assert sentence(spec(), {}) == "Waiting for the first round."
    ahead = sentence(spec(), history(0.7, 0.6, 0.8))
    assert ahead.startswith("After 2 of 3 rounds SCAFFOLD, soft merge (80.0%) is 10.0 points above FedAvg, the next.")
    assert ahead.endswith("Scope alignment: −10.0 points for FedAvg.")
    assert "nothing tells the 3 runs apart" in sentence(spec(), history(0.7, 0.7, 0.705))
    assert sentence(spec(), history(0.7, 0.71, 0.9)).endswith("Scope alignment: no difference for FedAvg.")
    assert "and FedAvg (79.5%) are ahead" in sentence(spec(), history(0.795, 0.6, 0.8))
    assert (
        sentence(spec(RUNS[:1]), history(0.7))
        == "After 2 of 3 rounds FedAvg classifies 70.0% of the test data correctly."
    )
    assert run_title(RUNS[1]) == "FedAvg with scope alignment"
    assert late_accuracy([0.1, 0.4, 0.5, 0.6]) == pytest.approx(0.5)
    assert math.isclose(late_accuracy([0.4]) or 0, 0.4)
