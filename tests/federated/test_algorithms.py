"""Federated algorithms against FedAvg and against their formulas, step by step in float64."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from softmerge_core.data.partitions import ShardSettings
from softmerge_core.errors import NotFoundError, SettingsError
from softmerge_core.federated.algorithms import algorithms, find_algorithm
from softmerge_core.federated.algorithms.base import Memory, Round
from softmerge_core.federated.client import Pull, train_client
from softmerge_core.federated.server import Server, federate
from softmerge_core.federated.settings import FederatedRun, Federation, FederationSettings
from softmerge_core.landscape import weights_of
from softmerge_core.scope.measure import ScopePenalty, fuse, scope_of
from softmerge_core.settings import DataSpec

SMALL = {"clients": 4, "rounds": 3, "local_epochs": 1, "batch_size": 32, "server_samples": 40, "learning_rate": 0.1}


def federation(network: str = "mlp", dataset: str = "moons", **changes: object) -> Federation:
    return Federation(
        data=DataSpec(dataset=dataset, train_samples=240),
        network=network,
        shards=ShardSettings(alpha=0.5),
        settings=FederationSettings.model_validate({**SMALL, **changes}),
    )


def final_weights(run: FederatedRun, scene: Federation) -> torch.Tensor:
    *_, (server, _) = federate(scene, run)
    return weights_of(server.network)


@pytest.mark.parametrize("scope", [False, True])
@pytest.mark.parametrize(
    ("name", "setting", "acts"), [("fedprox", "mu", 1.0), ("feddyn", "alpha", 0.1), ("scaffold", "control", 1.0)]
)
def test_without_their_term_all_are_fedavg_bit_for_bit(name: str, setting: str, acts: float, scope: bool) -> None:
    scene = federation(participation=0.75)
    expected = final_weights(FederatedRun(scope=scope), scene)
    nothing = final_weights(FederatedRun(algorithm=name, scope=scope, settings={setting: 0.0}), scene)
    assert torch.equal(nothing, expected)
    something = final_weights(FederatedRun(algorithm=name, scope=scope, settings={setting: acts}), scene)
    assert not torch.equal(something, expected)


def test_what_is_added_to_the_loss_has_the_gradient_it_should() -> None:
    network = torch.nn.Linear(3, 2).double()
    theta = weights_of(network)
    generator = torch.Generator().manual_seed(0)
    h, center = (torch.randn(8, generator=generator, dtype=torch.float64) for _ in range(2))
    Pull(h, 0.7, center, None)(network).backward()
    gradient = torch.cat([parameter.grad.reshape(-1) for parameter in network.parameters()])  # type: ignore[union-attr]
    assert gradient == pytest.approx((h + 0.7 * (theta - center)).numpy())


def test_scaffold_follows_option_two() -> None:
    generator = torch.Generator().manual_seed(1)
    memory: Memory = {}
    x = torch.randn(5, generator=generator, dtype=torch.float64)
    c, own = np.zeros(5), {i: np.zeros(5) for i in range(3)}
    scaffold = find_algorithm("scaffold")
    for present in ((0, 1, 2), (0, 2), (1,)):
        sent = {i: x + torch.randn(5, generator=generator, dtype=torch.float64) for i in present}
        steps = {i: 2 + i for i in present}
        end = Round(x, sent, steps, x + 1, clients=3, learning_rate=0.1)
        assert torch.equal(scaffold.finish(end, memory, scaffold.settings()), end.merged)
        new = {i: own[i] - c + (x - y).numpy() / (steps[i] * 0.1) for i, y in sent.items()}
        c = c + sum(new[i] - own[i] for i in present) / 3
        own |= new
        for i in range(3):
            term = scaffold.terms(memory, i, scaffold.settings())
            assert term.linear is not None
            assert term.linear.numpy() == pytest.approx(c - own[i])
        x = end.merged


def test_scaffold_reads_the_mean_gradient_off_the_path() -> None:
    """After one full-batch step from zero control variates, (x - y) / lr is the gradient itself."""
    scene = federation(batch_size=1000)
    server = Server(scene, FederatedRun(algorithm="scaffold"))
    task = server.tasks()[1]
    network = server.scene.network(task.state)
    inputs, labels = server.scene.shard(1)
    torch.nn.functional.cross_entropy(network(inputs), labels).backward()
    gradient = torch.cat([parameter.grad.reshape(-1) for parameter in network.parameters()])  # type: ignore[union-attr]
    server.take([train_client(task) for task in server.tasks()])
    assert server.memory["1"].numpy() == pytest.approx(gradient.numpy(), abs=1e-5)


def test_feddyn_follows_its_algorithm() -> None:
    generator = torch.Generator().manual_seed(2)
    memory: Memory = {}
    feddyn = find_algorithm("feddyn")
    settings, alpha = feddyn.settings(alpha=0.2), 0.2
    x = torch.randn(5, generator=generator, dtype=torch.float64)
    h, own = np.zeros(5), {i: np.zeros(5) for i in range(3)}
    for present in ((0, 1, 2), (0, 2)):
        sent = {i: x + torch.randn(5, generator=generator, dtype=torch.float64) for i in present}
        mean = torch.stack(list(sent.values())).mean(0)
        end = Round(x, sent, dict.fromkeys(present, 1), mean, clients=3, learning_rate=0.1)
        found = feddyn.finish(end, memory, settings)
        for i, y in sent.items():
            own[i] = own[i] - alpha * (y - x).numpy()
        h = h - alpha / 3 * sum((y - x).numpy() for y in sent.values())
        assert found.numpy() == pytest.approx(mean.numpy() - h / alpha)
        term = feddyn.terms(memory, 0, settings)
        assert term.linear is not None
        assert term.linear.numpy() == pytest.approx(-own[0])
        assert term.quadratic == alpha
        x = found


def test_fedprox_stays_nearer_the_more_it_is_held() -> None:
    def moved(mu: float) -> float:
        server = Server(federation(), FederatedRun(algorithm="fedprox", settings={"mu": mu}))
        return server.take([train_client(task) for task in server.tasks()]).drift

    assert moved(0.0) > moved(1.0) > moved(5.0) > 0


def test_scope_alignment_sends_the_initial_scope_and_then_the_fused_one() -> None:
    server = Server(federation(), FederatedRun(scope=True))
    first = scope_of(server.network)
    scope = server.tasks()[0].scope
    assert scope is not None
    assert torch.equal(torch.from_numpy(scope[2]), first.sigma.detach())
    updates = [train_client(task) for task in server.tasks()]
    server.take(updates)
    scopes = [scope_of(server.scene.network(update.state)) for update in updates]
    expected = fuse(scopes, [update.samples for update in updates])
    scope = server.tasks()[0].scope
    assert scope is not None
    assert np.array_equal(scope[1], expected.mu.numpy())
    assert np.array_equal(scope[2], expected.sigma.numpy())


def test_a_heavy_scope_weight_keeps_clients_in_the_scope_that_was_sent() -> None:
    def away(weight: float) -> float:
        server = Server(federation(scope_weight=weight), FederatedRun(scope=True))
        target = server.fused
        sent = [server.scene.network(train_client(task).state) for task in server.tasks()]
        return sum(float(ScopePenalty(target, 1.0)(network).detach()) for network in sent)

    assert away(10.0) < 0.5 * away(0.0)


def test_one_registry_finds_all_four() -> None:
    shipped = ["fedavg", "fedprox", "scaffold", "feddyn"]
    assert [name for name in algorithms() if name in shipped] == shipped
    with pytest.raises(NotFoundError, match="fedavg, fedprox"):
        find_algorithm("fednone")
    with pytest.raises(SettingsError, match="Mu"):
        Server(federation(), FederatedRun(algorithm="fedprox", settings={"mu": -1.0}))


def test_listing_the_algorithms_does_not_load_torch() -> None:
    code = (
        "import sys; from softmerge_core.federated.algorithms import algorithms; "
        "from softmerge_core.experiments.federated import words; "
        "assert len(algorithms()) > 3; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
