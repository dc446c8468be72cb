"""Groups of units are found in any network, and reordering them leaves the function unchanged."""

import pytest
import torch
from torch import Tensor, nn

from softmerge_core.alignment.permute import apply, tensors_of
from softmerge_core.alignment.symmetry.groups import _confirmed, permutation_groups, unchanged
from softmerge_core.alignment.symmetry.parts import Group, Symmetry
from softmerge_core.errors import SettingsError, SourceError
from tests.alignment.networks import ALL, TORCHVISION, ZOO, build, groups_of, inputs_of, random_permutations, shared

FOUND = {  # at least so many groups
    "mlp": 2,
    "cnn1d": 3,
    "vgg": 5,
    "resnet": 5,
    "vit": 5,
    "lstm": 1,
    "torchvision/resnet18": 12,
    "torchvision/resnet50": 37,
    "torchvision/vgg11_bn": 10,
    "torchvision/mobilenet_v2": 25,
    "torchvision/squeezenet1_1": 25,
    "torchvision/shufflenet_v2_x0_5": 10,
    "torchvision/googlenet": 57,
    "small/perceptron": 1,
    "small/convolutional": 2,
    "small/recurrent": 4,
    "small/attention": 1,
    "small/tied": 0,
}


@pytest.fixture(autouse=True)
def _no_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the check on numbers, which would hide mistakes of tracing."""
    monkeypatch.setattr("softmerge_core.alignment.symmetry.groups._confirmed", lambda network, found, sample: found)


SINGLE = [(name, torch.float32) for name in ALL]
DOUBLE = [(name, torch.float64) for name in ALL if name not in TORCHVISION or name.endswith("resnet18")]


@pytest.mark.parametrize(("name", "dtype"), SINGLE + DOUBLE)
def test_any_order_of_units_computes_the_same(name: str, dtype: torch.dtype) -> None:
    network, inputs = (shared(name), inputs_of(name)) if dtype == torch.float32 else build(name, dtype=dtype)
    groups = groups_of(name)
    assert len(groups) >= FOUND[name]
    before = {key: value.double().sum() for key, value in network.state_dict().items()}
    orders = random_permutations(groups, torch.Generator().manual_seed(6))
    permuted = apply(network, {key: order.roll(int(order[0] == 0)) for key, order in orders.items()}, groups)
    with torch.no_grad():
        expected, got = network(inputs), permuted(inputs)
    scale = expected.abs().max()
    assert expected.std(0).max() > 1e-6 * scale  # the outputs say something of the inputs
    assert (expected - got).abs().max() < (1e-4 if dtype == torch.float32 else 1e-10)
    assert (expected - got).abs().max() < 1e-4 * scale
    assert all(before[key] == value.double().sum() for key, value in network.state_dict().items())
    tensors = zip(network.state_dict().values(), permuted.state_dict().values(), strict=True)
    assert any(not torch.equal(one, other) for one, other in tensors) == bool(groups)


@pytest.mark.parametrize("name", [*ZOO, "torchvision/mobilenet_v2", "small/recurrent"])
def test_no_axis_of_a_group_can_be_left_out(name: str) -> None:
    """If one axis (or statistic) keeps its old order, the function changes: no group has a superfluous axis."""
    network, inputs = build(name)
    groups = permutation_groups(network)
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        expected = network(inputs)
        for group in (groups[0], groups[-1]):
            whole = apply(network, random_permutations([group], generator), [group])
            for axis in group.axes:
                state = tensors_of(whole) | {axis.name: tensors_of(network)[axis.name]}
                changed = torch.func.functional_call(network, state, (inputs,))
                assert not torch.equal(changed, expected), axis


def test_every_hidden_layer_of_the_zoo_is_in_a_group() -> None:
    for name in ("mlp", "cnn1d", "vgg", "resnet"):
        network, _ = build(name)
        made = {axis.name for group in groups_of(name) for axis in group.axes if not axis.reads}
        weights = {key for key, value in network.named_parameters() if value.dim() > 1 and not key.startswith("head")}
        assert weights <= made


def test_inputs_and_outputs_of_the_network_stay() -> None:
    for name in ALL:
        network = shared(name)
        last = [key for key, value in network.named_parameters() if value.dim() > 1][-1]
        for group in groups_of(name):
            assert (last, 0) not in {(axis.name, axis.dim) for axis in group.axes}
            assert all(axis.size == group.size for axis in group.axes)


class Unknown(nn.Module):
    """Between its two layers, the result depends on the order of units in ways that no rule describes."""

    def __init__(self, middle: str) -> None:
        super().__init__()
        self.middle = middle
        self.first = nn.Linear(4, 6)
        self.second = nn.Linear(6, 6)
        self.head = nn.Linear(6, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = self.first(inputs)
        if self.middle == "cumsum":
            hidden = hidden.cumsum(-1)
        elif self.middle == "slice":
            hidden = torch.cat([hidden[..., 3:], hidden[..., :3]], -1)
        elif self.middle == "constant":
            hidden = hidden * torch.arange(6.0)
        elif self.middle == "sort":
            hidden = hidden.sort(-1).values
        elif self.middle == "write":
            hidden[..., 2] = 0
        elif self.middle == "script":
            hidden = Scripted.apply(hidden)
        elif self.middle == "turn":
            hidden = hidden.unsqueeze_(0).transpose_(1, 2)[0].transpose(0, 1) * torch.arange(6.0)
        elif self.middle == "right":
            hidden = hidden.__rmatmul__(torch.arange(float(len(hidden) ** 2)).view(len(hidden), -1)).cumsum(-1)
        elif self.middle == "out":
            hidden = torch.mul(hidden, torch.arange(6.0), out=torch.empty_like(hidden))
        elif self.middle == "number":
            hidden = hidden * float(hidden[0, 0])
        return self.head(self.second(hidden).relu())


class Scripted(torch.autograd.Function):
    """An operation that cannot be traced."""

    @staticmethod
    def forward(ctx: object, hidden: Tensor) -> Tensor:
        return hidden * torch.arange(6.0)

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return gradient * torch.arange(6.0)


@pytest.mark.parametrize(
    "middle", ["cumsum", "slice", "constant", "sort", "write", "script", "number", "turn", "right", "out"]
)
def test_what_is_not_understood_is_left_in_order(middle: str) -> None:
    torch.manual_seed(0)
    network = Unknown(middle).eval()
    inputs = torch.randn(5, 4)
    groups = permutation_groups(network)
    assert not any(axis.name.startswith("first") for group in groups for axis in group.axes)
    permuted = apply(network, random_permutations(groups, torch.Generator().manual_seed(1)), groups)
    with torch.no_grad():
        assert torch.allclose(network(inputs), permuted(inputs), atol=1e-5)


def test_one_head_of_attention_has_none_to_change_with() -> None:
    class OneHead(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.head = nn.Linear(4, 6), nn.Linear(6, 3)
            self.attention = nn.MultiheadAttention(6, 1, batch_first=True)

        def forward(self, inputs: Tensor) -> Tensor:
            hidden = self.first(inputs.view(inputs.shape[0], -1, 4))
            return self.head(self.attention(hidden, hidden, hidden)[0].mean(1))

    torch.manual_seed(0)
    network, inputs = OneHead().eval(), torch.randn(3, 12)
    groups = permutation_groups(network, inputs)
    assert all(axis.size == 6 for group in groups for axis in group.axes)
    permuted = apply(network, random_permutations(groups, torch.Generator().manual_seed(1)), groups)
    with torch.no_grad():
        assert torch.allclose(network(inputs), permuted(inputs), atol=1e-6)


def test_a_group_that_does_not_hold_up_on_numbers_is_dropped() -> None:
    network, inputs = build("mlp")
    first, second = permutation_groups(network)
    half = Group(first.name, first.size, first.axes[:1])  # as if a rule had forgotten the next layer
    assert unchanged(network, (first, second), inputs)
    assert not unchanged(network, (half, second), inputs)
    assert _confirmed(network, Symmetry((half, second), ()), inputs).groups == (second,)


class Mixed(nn.Module):
    """Concatenation, a transposed and a depthwise convolution, a residual sum, a learned scale, a class token."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv1d(2, 3, 3, padding=1)
        self.right = nn.Conv1d(2, 4, 3, padding=1)
        self.deep = nn.Conv1d(7, 14, 3, padding=1, groups=7)
        self.back = nn.ConvTranspose1d(14, 5, 2, stride=2)
        self.same = nn.Conv1d(5, 5, 1)
        self.scale = nn.Parameter(torch.randn(5, 1))
        self.token = nn.Parameter(torch.randn(1, 1, 5))
        self.gru = nn.GRU(5, 6, batch_first=True)
        self.head = nn.Linear(6 * 17, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = torch.cat([self.left(inputs), self.right(inputs)], 1).relu()
        hidden = self.back(self.deep(hidden).tanh())
        hidden = hidden + self.same(hidden) * self.scale
        tokens = torch.cat([self.token.expand(inputs.shape[0], -1, -1), hidden.mT], 1)
        return self.head(self.gru(tokens)[0].flatten(1))


def test_branches_sums_and_tokens_are_followed() -> None:
    torch.manual_seed(0)
    network, inputs = Mixed().eval(), torch.randn(4, 2, 8)
    groups = permutation_groups(network)
    assert sorted(group.size for group in groups) == [3, 4, 5, 6]
    permuted = apply(network, random_permutations(groups, torch.Generator().manual_seed(1)), groups)
    with torch.no_grad():
        assert torch.allclose(network(inputs), permuted(inputs), atol=1e-6)


def test_a_network_that_tells_no_shape_needs_inputs() -> None:
    class Odd(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.head = nn.Linear(4, 6), nn.Linear(6, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.head(self.first(inputs.view(-1, 7, 11, 4).sum((1, 2))).relu())

    with pytest.raises(SourceError, match=r"Odd.*give some inputs"):
        permutation_groups(Odd())
    (group,) = permutation_groups(Odd(), torch.zeros(1, 7, 11, 4))
    assert group.size == 6


def test_what_is_no_permutation_is_refused() -> None:
    network, _ = build("mlp")
    with pytest.raises(SettingsError, match=r"unknown group 'elsewhere'.*hidden1"):
        apply(network, {"elsewhere": torch.arange(3)})
    with pytest.raises(SettingsError, match=r"hidden1.*expected a permutation of 0 to 31"):
        apply(network, {"hidden1.weight:0": torch.zeros(32, dtype=torch.int64)})


def test_torchvision_takes_no_table() -> None:
    """Every convolution of a ResNet is in some group, except for its input."""
    for name in TORCHVISION:
        network = shared(name)
        covered = {axis.name for group in groups_of(name) for axis in group.axes}
        weights = [key for key, value in network.named_parameters() if value.dim() == 4]
        if "shufflenet" not in name:
            assert set(weights) <= covered, name
