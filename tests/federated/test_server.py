"""The server's part of a round: it merges what clients send, some of them malicious."""

import math

import numpy as np
import pytest
import torch

from softmerge_core.errors import RunError
from softmerge_core.federated.aggregation import aggregate
from softmerge_core.federated.client import train_client
from softmerge_core.federated.dealing import is_malicious, participants
from softmerge_core.federated.scene import scene_of
from softmerge_core.federated.server import Server, federate, load, save
from softmerge_core.federated.settings import FederatedRun, Federation, FederationSettings
from softmerge_core.landscape import weights_of
from softmerge_core.settings import DataSpec
from tests.federated.test_algorithms import federation


def test_the_mean_is_weighted_by_samples() -> None:
    scene = scene_of(federation())
    networks = {i: scene.new_network() for i in range(3)}
    with torch.no_grad():
        for i, network in networks.items():
            for parameter in network.parameters():
                parameter.add_(i)
    found = aggregate("mean", networks, {0: 1, 1: 2, 2: 5}, scene, 1)
    assert found.network is not None
    expected = weights_of(networks[0]) + (1 * 2 + 2 * 5) / 8
    assert weights_of(found.network) == pytest.approx(expected.numpy(), abs=1e-6)


def test_the_mean_weighs_clients_equally_if_asked_to() -> None:
    scene = scene_of(federation(weighting="equal"))
    networks = {i: scene.new_network() for i in range(2)}
    with torch.no_grad():
        for parameter in networks[1].parameters():
            parameter.add_(1)
    found = aggregate("mean", networks, {0: 1, 1: 9}, scene, 1)
    assert found.network is not None
    assert weights_of(found.network) == pytest.approx((weights_of(networks[0]) + 0.5).numpy(), abs=1e-6)


def test_a_run_with_a_learning_rate_of_its_own_trains_with_it() -> None:
    def final(learning_rate: float, own: float | None) -> torch.Tensor:
        asked = federation(learning_rate=learning_rate, rounds=1)
        ((server, _),) = federate(asked, FederatedRun(algorithm="scaffold", learning_rate=own))
        return weights_of(server.network)

    assert torch.equal(final(0.3, 0.05), final(0.05, None))
    assert not torch.equal(final(0.3, 0.05), final(0.3, None))


def test_every_sample_is_the_servers_or_one_clients() -> None:
    scene = scene_of(federation())
    dealt = np.concatenate(scene.clients)
    assert len(set(dealt.tolist())) == len(dealt) == 240 - 40
    assert len(scene.server.train_labels) + len(scene.server.validation_labels) == 40
    clients = {tuple(row) for row in scene.data.train_inputs[torch.from_numpy(dealt)].tolist()}
    own = torch.cat([scene.server.train_inputs, scene.server.validation_inputs]).tolist()
    assert clients.isdisjoint(map(tuple, own))


@pytest.mark.parametrize("attack", ["nan", "inf"])
@pytest.mark.parametrize("how", ["mean", "median", "trimmed_mean", "krum", "soft"])
def test_what_is_not_finite_is_excluded_by_name(how: str, attack: str) -> None:
    scene = federation(malicious=2, attack=attack, rounds=1, merge_steps=5)
    ((server, report),) = federate(scene, FederatedRun(aggregation=how))  # type: ignore[arg-type]
    assert report.excluded == (2, 3)
    assert [text.split(" is left out")[0] for text in report.notices] == ["client 3", "client 4"]
    assert bool(torch.isfinite(weights_of(server.network)).all())
    assert math.isfinite(report.drift)


@pytest.mark.parametrize("how", ["mean", "soft"])
def test_where_nobody_is_left_the_server_keeps_its_weights(how: str) -> None:
    scene = federation(clients=2, malicious=1, attack="nan", participation=0.5, merge_steps=5)
    server = Server(scene, FederatedRun(algorithm="scaffold", aggregation=how, scope=True))  # type: ignore[arg-type]
    alone = 0
    for number in range(1, 7):
        before = weights_of(server.network)
        report = server.take([train_client(task) for task in server.tasks()])
        only_malicious = participants(scene, number) == (1,)
        assert torch.equal(weights_of(server.network), before) == only_malicious
        assert ("keeps its weights" in " ".join(report.notices)) == only_malicious
        alone += only_malicious
    assert 0 < alone < 6


def test_weights_that_overflow_in_the_mean_never_crash() -> None:
    scene = federation(malicious=2, attack="extreme", strength=1e6, rounds=14, batch_size=1000)
    reports = [report for _, report in federate(scene, FederatedRun(scope=True))]
    assert len(reports) == 14
    assert all(0 <= report.accuracy <= 1 for report in reports)


@pytest.mark.parametrize("algorithm", ["scaffold", "feddyn"])
def test_a_server_that_is_put_back_goes_on_to_the_same_bits(algorithm: str) -> None:
    scene, run = federation(), FederatedRun(algorithm=algorithm, scope=True, aggregation="soft")
    first, second = Server(scene, run), Server(scene, run)
    first.take([train_client(task) for task in first.tasks()])
    assert load([second], save([first], {"history": [0.5]})) == {"history": [0.5]}
    for server in (first, second):
        server.take([train_client(task) for task in server.tasks()])
    assert torch.equal(weights_of(first.network), weights_of(second.network))
    assert set(first.memory) == set(second.memory)
    with pytest.raises(RunError, match="damaged"):
        load([second], b"nonsense")


def test_batchnorm_is_estimated_on_the_servers_samples() -> None:
    scene = federation("resnet", "digits", clients=2, rounds=1)
    ((server, report),) = federate(scene, FederatedRun())
    norm = next(m for m in server.network.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert norm.running_mean is not None
    seen: list[torch.Tensor] = []
    hook = norm.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    server.network(server.scene.server.train_inputs)
    hook.remove()
    assert norm.running_mean.numpy() == pytest.approx(seen[0].mean((0, 2, 3)).detach().numpy(), abs=1e-4)
    assert math.isfinite(report.loss)


@pytest.mark.parametrize("attack", ["extreme", "sign_flip"])
def test_soft_merging_holds_what_the_honest_reach_where_the_mean_is_lost(attack: str) -> None:
    scene = Federation(
        data=DataSpec(dataset="digits"),
        network="mlp",
        settings=FederationSettings(rounds=8, learning_rate=0.2, malicious=3, attack=attack, merge_steps=60),
    )
    late = {}
    for how in ("honest", "mean", "soft"):
        *_, (_, report) = federate(scene, FederatedRun(aggregation=how))  # type: ignore[arg-type]
        late[how] = report.accuracy
    assert [is_malicious(scene, client) for client in report.clients] == [False] * 7 + [True] * 3
    assert max(report.gates[7:]) < 0.05
    assert min(report.gates[:7]) > 0.05
    assert late["soft"] >= late["honest"] - 0.03
    assert late["mean"] < late["honest"] - 0.2
