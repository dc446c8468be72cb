"""The federated run: the events it emits, and that it goes on where it was cut short."""

import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from softmerge_core.events import Evaluation, FederatedRound, Notice, Progress, Shards
from softmerge_core.experiments.federated.spec import FederatedSpec, counts_of
from softmerge_core.federated import server
from softmerge_core.federated.settings import FederatedRun
from softmerge_core.runs import files
from softmerge_core.runs.store import RunStore
from softmerge_core.runs.writer import conduct
from tests.experiments.federated.specs import RUNS, spec


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
    """Do the tasks as workers do: through pickles, one thread each, in another order."""
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
