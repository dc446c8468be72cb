"""The Federated page as its reader sees it: the runs it submits, the pictures and words, and the refusals."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from softmerge_core.attacks import attacks
from softmerge_core.events import Evaluation, Event, FederatedRound, Notice, Progress
from softmerge_core.experiments.federated.spec import FederatedSpec
from softmerge_core.federated.algorithms import algorithms
from softmerge_core.federated.settings import FederatedRun, FederationSettings
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import RunWriter, conduct
from softmerge_core.settings import DataSpec
from tests.pages.conftest import Desk, button, opened, press, started, texts

Open = Callable[..., AppTest]
RUNS = (FederatedRun(), FederatedRun(scope=True), FederatedRun(aggregation="soft"))


@pytest.fixture
def open_federated(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the page, without a recorded run."""
    monkeypatch.setattr(RunStore, "examples", lambda self: [])

    def start(**state: object) -> AppTest:
        return opened("from pages.federated.page import page\npage()\n", **state)

    return start


def spec_of(**fields: Any) -> FederatedSpec:
    """Return the spec of a small and quick run."""
    values = {"clients": 4, "rounds": 2, "local_epochs": 1, "server_samples": 40, "malicious": 1, "merge_steps": 3}
    settings = FederationSettings.model_validate({**values, **fields})
    return FederatedSpec(data=DataSpec(dataset="moons", train_samples=240), network="mlp", settings=settings, runs=RUNS)


def submitted(desk: Desk) -> FederatedSpec:
    (run,) = desk.store.list()
    spec = desk.store.read(run.id).spec
    assert isinstance(spec, FederatedSpec)
    return spec


def test_the_first_press_overlays_two_algorithms_with_and_without_scope(open_federated: Open, desk: Desk) -> None:
    page = open_federated()
    assert "a line for every algorithm" in texts(page)
    press(page, "Start rounds")
    spec = submitted(desk)
    assert [run.key for run in spec.runs] == ["fedavg", "fedavg+scope", "feddyn", "feddyn+scope"]
    assert (spec.data.dataset, spec.network) == ("fashion", "mlp")
    assert (spec.shards.kind, spec.shards.alpha) == ("dirichlet", 0.1)
    assert (spec.settings.clients, spec.settings.malicious) == (10, 0)


def test_what_is_chosen_is_what_is_submitted(open_federated: Open, desk: Desk) -> None:
    state = {
        "federated-shards": "classes",
        "federated-algorithms": ["feddyn", "fedprox"],
        "federated-aggregation": ["soft", "krum"],
        "federated-scope": "on",
        "federated-malicious": 3,
        "federated-attack": "noise",
    }
    page = open_federated(**state)
    page.number_input(key="federated-shards-classes").set_value(3)
    page.number_input(key="federated-feddyn-alpha").set_value(0.03)
    page.number_input(key="federated-strength-noise").set_value(0.7)
    page.number_input(key="federated-seed").set_value(5)
    page.run()
    press(page, "Start rounds")
    spec = submitted(desk)
    assert [run.key for run in spec.runs] == [
        "fedprox+scope/krum", "fedprox+scope/soft", "feddyn+scope/krum", "feddyn+scope/soft",
    ]  # fmt: skip
    assert spec.runs[-1].settings == {"alpha": 0.03}
    assert (spec.shards.kind, spec.shards.classes) == ("classes", 3)
    chosen = spec.settings
    assert (chosen.malicious, chosen.attack, chosen.strength, chosen.seed) == (3, "noise", 0.7, 5)


def test_every_algorithm_is_offered_with_its_summary(open_federated: Open) -> None:
    page = open_federated()
    help_text = next(group.help for group in page.get("button_group") if group.label == "Algorithms")
    assert all(algorithm.title in help_text for algorithm in algorithms().values())


def test_no_algorithm_or_shards_that_do_not_go_round_keep_the_run_from_starting(open_federated: Open) -> None:
    page = open_federated(**{"federated-algorithms": []})
    assert [error.value for error in page.error] == ["Choose at least one algorithm and one way of aggregation\\."]
    assert button(page, "Start rounds").disabled
    page = open_federated(**{"federated-shards": "classes", "federated-shards-classes": 11})
    assert "at most the 10" in page.error[0].value
    assert button(page, "Start rounds").disabled


def test_fewer_clients_leave_one_honest(open_federated: Open, desk: Desk) -> None:
    page = open_federated(**{"federated-malicious": 9})
    page.number_input(key="federated-clients").set_value(4)
    page.run()
    press(page, "Start rounds")
    assert (submitted(desk).settings.clients, submitted(desk).settings.malicious) == (4, 3)


@pytest.mark.parametrize("attack", attacks())
def test_every_attack_is_told_in_words(open_federated: Open, attack: str) -> None:
    page = open_federated(**{"federated-malicious": 2, "federated-attack": attack})
    assert "Each malicious client sends" in texts(page)
    assert not page.error


def test_a_finished_run_is_told_in_pictures_words_and_numbers(open_federated: Open, desk: Desk) -> None:
    run_id = desk.store.create(spec_of(attack="nan"))
    assert conduct(desk.store.folder(run_id)) == "finished"
    page = open_federated(**{"federated:run": run_id})
    said = texts(page)
    assert re.search(r"\*\*After 2 of 2 rounds .*one seed", said)
    assert "Test accuracy, one seed;" in said
    assert any("client 4 is left out" in str(warning.value) for warning in page.warning)
    assert len(page.warning) == 3
    assert "Gates on the server" in said
    (table,) = [str(element.value) for element in page.html if "<table" in str(element.value)]
    assert "FedAvg with scope alignment" in table
    assert f"-{run_id}.json`" in said.partition("`python -m softmerge_core run federated-spec-")[2]


def told(run: FederatedRun, step: int, accuracy: float, **fields: Any) -> list[Event]:
    values = {"clients": (0, 1, 3), "accuracies": (0.2, 0.4, 0.9), "drift": 0.1, "spread": 0.01, **fields}
    return [
        Evaluation(step=step, series=run.key, split="test", accuracy=accuracy, loss=1.0),
        FederatedRound.model_validate({"step": step, "series": run.key, **values}),
    ]


def test_a_live_run_is_followed_with_its_notices(open_federated: Open, desk: Desk) -> None:
    run_id = started(desk.store.create(spec_of()))
    with RunWriter(desk.store.folder(run_id)) as writer:
        events = [*told(RUNS[0], 1, 0.5), Notice(step=1, text="client 4 is left out"), Progress(step=1, total=2)]
        for event in events:
            writer.emit(event)
        page = open_federated()
        assert page.query_params["run"] == run_id
        assert "After 1 of 2 rounds" in texts(page)
        assert "Client 4 is left out" in texts(page)
        assert not button(page, "Start rounds").disabled
