"""Optimal transport: a permutation between equal widths, and a fusion between different ones."""

import copy

import pytest
import torch
from torch import Tensor, nn

from softmerge_core.alignment.assignment import best_assignment
from softmerge_core.alignment.permute import apply, tensors_of
from softmerge_core.alignment.symmetry.groups import permutation_groups
from softmerge_core.alignment.symmetry.parts import Axis
from softmerge_core.alignment.transport import carry, fuse, plans, transport, uniform_plan
from softmerge_core.data import load_dataset
from softmerge_core.errors import DataError, SettingsError, SourceError
from softmerge_core.evaluation import evaluate
from softmerge_core.networks.mlp import MLP
from softmerge_core.networks.resnet import ResNet
from softmerge_core.settings import TrainSettings
from softmerge_core.training import train
from tests.alignment.networks import build, groups_of, inputs_of, random_permutations


def test_equal_masses_and_widths_give_the_best_assignment() -> None:
    generator = torch.Generator().manual_seed(0)
    for size in (2, 7, 30):
        cost = torch.rand(size, size, generator=generator, dtype=torch.float64)
        plan = uniform_plan(cost)
        expected = torch.zeros(size, size, dtype=torch.float64)
        expected[torch.arange(size), best_assignment(-cost)] = 1 / size
        assert torch.allclose(plan, expected)


def test_a_plan_between_widths_spends_every_mass() -> None:
    cost = torch.rand(6, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    plan = uniform_plan(cost)
    assert torch.allclose(plan.sum(0), torch.full((4,), 1 / 4, dtype=torch.float64))
    assert torch.allclose(plan.sum(1), torch.full((6,), 1 / 6, dtype=torch.float64))
    assert (plan * cost).sum() <= cost.mean() + 1e-12


@pytest.mark.parametrize("name", ["mlp", "cnn1d", "resnet", "lstm", "vit"])
@pytest.mark.parametrize("mode", ["weights", "activations"])
def test_a_hidden_order_is_found_as_matching_finds_it(name: str, mode: str) -> None:
    network, _ = build(name)
    groups = groups_of(name)
    hidden = apply(network, random_permutations(groups, torch.Generator().manual_seed(2)), groups)
    inputs = inputs_of(name, 96)
    moved = transport(hidden, network, inputs, mode)
    for one, other in zip(network.state_dict().values(), moved.state_dict().values(), strict=True):
        assert torch.allclose(one, other, atol=1e-6)
    for plan in plans(hidden, network, inputs, mode).values():
        assert torch.equal(plan > 0, (plan * len(plan)).round().bool())
        assert torch.allclose(plan.sum(0), plan.sum(1))


def test_carrying_agrees_with_a_naive_product() -> None:
    """Rows are means over incoming source units, and columns are divided: the paper's T, one axis at a time."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(3, 4, generator=generator, dtype=torch.float64)
    made, read = (torch.rand(n, m, generator=generator, dtype=torch.float64) for n, m in ((3, 2), (4, 5)))
    state = {"w": weight.clone()}
    carry(state, [(Axis("w", 0, 0, 1, 3, 1, False), made), (Axis("w", 1, 0, 1, 4, 1, True), read)])
    expected = (made / made.sum(0)).T @ weight @ (read / read.sum(1, keepdim=True))
    assert torch.allclose(state["w"], expected)


def test_units_that_are_doubled_compute_the_same() -> None:
    """A network in which every hidden unit occurs twice, at half weight, is mapped exactly, in both directions."""
    torch.manual_seed(0)
    narrow, wide = MLP(4, 3, 5).double().eval(), MLP(4, 3, 10).double().eval()
    with torch.no_grad():
        wide.hidden1.weight.copy_(narrow.hidden1.weight.repeat(2, 1))
        wide.hidden1.bias.copy_(narrow.hidden1.bias.repeat(2))
        wide.hidden2.weight.copy_(narrow.hidden2.weight.repeat(2, 2) / 2)
        wide.hidden2.bias.copy_(narrow.hidden2.bias.repeat(2))
        wide.head.weight.copy_(narrow.head.weight.repeat(1, 2) / 2)
        wide.head.bias.copy_(narrow.head.bias)
    inputs = torch.randn(40, 4, dtype=torch.float64)
    with torch.no_grad():
        expected = narrow(inputs)
        for source, target in ((narrow, wide), (wide, narrow)):
            moved = transport(source, target, inputs, "activations")
            assert torch.allclose(moved(inputs), expected, atol=1e-9)
            assert torch.allclose(fuse([target, source], inputs, "activations")(inputs), expected, atol=1e-9)


SGD = TrainSettings(epochs=30, learning_rate=0.05, optimiser="sgd", weight_decay=0.001, batch_size=64)


@pytest.fixture(scope="module")
def widths() -> tuple[list[nn.Module], object]:
    data = load_dataset("digits")
    networks = []
    for width in (64, 96):
        torch.manual_seed(width)
        network = MLP(64, 10, width)
        train(network, data.train_inputs, data.train_labels, SGD)
        networks.append(network)
    return networks, data


@pytest.mark.parametrize("mode", ["weights", "activations"])
@pytest.mark.parametrize("target", [0, 1])
def test_different_widths_fuse(widths, mode: str, target: int) -> None:
    networks, data = widths
    before = [copy.deepcopy(network.state_dict()) for network in networks]
    fused = fuse(networks, data.train_inputs, mode, target=target)
    assert {k: v.shape for k, v in fused.state_dict().items()} == {
        k: v.shape for k, v in networks[target].state_dict().items()
    }
    accuracy, _ = evaluate(fused, data.test_inputs, data.test_labels)
    assert accuracy > 0.5  # ten classes
    for network, state in zip(networks, before, strict=True):
        assert all(torch.equal(value, state[key]) for key, value in network.state_dict().items())


def test_residual_networks_of_two_widths_fuse_with_batchnorm() -> None:
    torch.manual_seed(0)
    narrow, wide = ResNet(1, 5, 8).eval(), ResNet(1, 5, 12).eval()
    inputs = torch.randn(32, 1, 8, 8)
    fused = fuse([narrow, wide], inputs)
    assert fused.stem[0].weight.shape == narrow.stem[0].weight.shape
    with torch.no_grad():
        assert torch.isfinite(fused(inputs)).all()
        stem = fused.stem[0](inputs)
    assert torch.allclose(fused.stem[1].running_mean, stem.mean((0, 2, 3)), atol=1e-5)


class Branches(nn.Module):
    """Two branches whose channels are concatenated."""

    def __init__(self, left: int, right: int) -> None:
        super().__init__()
        self.left, self.right = nn.Linear(4, left), nn.Linear(4, right)
        self.head = nn.Linear(left + right, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(torch.cat([self.left(inputs), self.right(inputs)], 1).relu())


def test_branches_of_different_widths_are_carried_each_by_itself() -> None:
    torch.manual_seed(0)
    one, other = Branches(3, 6), Branches(5, 4)
    assert len(permutation_groups(one)) == 2
    found = plans(one, other)
    moved = tensors_of(transport(one, other))["head.weight"]
    left, right = (found[f"{side}.weight:0"] for side in ("left", "right"))
    shares = [plan / plan.sum(1, keepdim=True) for plan in (left, right)]
    expected = torch.cat([one.head.weight[:, :3].double() @ shares[0], one.head.weight[:, 3:].double() @ shares[1]], 1)
    assert torch.allclose(moved.double(), expected, atol=1e-6)


def test_what_does_not_fit_is_refused() -> None:
    network, inputs = build("mlp")
    with pytest.raises(SourceError, match=r"'source 2' are of two architectures: the network: MLP in the first, CNN1d"):
        fuse([network, build("cnn1d")[0]])
    with pytest.raises(SourceError, match=r"head.weight is .7, 32. in it and .5, 32. in the target"):
        fuse([network, MLP(12, 7, 32)])
    with pytest.raises(SourceError, match="two or more"):
        fuse([network])
    with pytest.raises(DataError, match="needs inputs"):
        fuse([network, network], mode="activations")
    with pytest.raises(SettingsError, match="mode: expected weights or activations"):
        fuse([network, network], mode="magic")
    with pytest.raises(SettingsError, match="target: expected 0 to 1, got 5"):
        fuse([network, network], inputs, target=5)
    broken = copy.deepcopy(network)
    broken.head.bias.data[0] = float("inf")
    with pytest.raises(SourceError, match=r"'source 2': head.bias has NaN or Inf"):
        fuse([network, broken])
