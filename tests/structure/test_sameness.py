"""Two networks are alike if only values differ: whatever else makes them compute otherwise is told by its name."""

import copy
import functools
import pickle
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from softmerge_core import soft_merge
from softmerge_core.alignment import align, fuse
from softmerge_core.errors import SourceError
from softmerge_core.methods import merge
from softmerge_core.networks import build_network
from softmerge_core.structure.sameness import check_same
from tests.alignment.networks import TORCHVISION, ZOO
from tests.networks_for_tests import NETWORKS, Tied, make_data, perceptron

Build = Callable[[], nn.Module]


def cell(text: str, name: str = "Net") -> type[nn.Module]:
    """A class as a notebook's cell defines it: each time anew, under the same name."""
    scope: dict[str, Any] = {"nn": nn, "torch": torch, "__name__": "__main__"}
    exec(text, scope)
    kind: type[nn.Module] = scope[name]
    return kind


NET = """
SLOPE = .1

def squash(x):
    return x.relu() + SLOPE

class Net(nn.Module):
    factor = 2

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x, shift=0.0):
        "Compute."
        return self.act(self.layer(x)) * self.factor + shift

    def act(self, x):
        return squash(x) + sum(map(lambda y: y, [1, 2]))

    def report(self):
        return "fine"
"""


class Free(nn.Module):
    """A layer, and attributes that its forward reads."""

    def __init__(self, act: object = None, **attributes: object) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.act = act
        self.calls = 0
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self, inputs: Tensor) -> Tensor:
        self.calls += 1
        return self.act(self.layer(inputs)) + self.shift + getattr(self, "more", 0) + self.size


def with_buffer(value: Tensor, persistent: bool = True) -> nn.Module:
    network = perceptron()
    network[0].register_buffer("extra", value, persistent=persistent)
    return network


def with_forward(forward: Callable[..., Any]) -> nn.Module:
    network = perceptron()
    network.forward = forward
    return network


def enclosed(slope: float) -> nn.Module:
    class Enclosed(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = nn.Linear(2, 2)

        def forward(self, inputs: Tensor) -> Tensor:
            return self.layer(inputs) * slope

    return Enclosed()


def leaky(slope: float) -> nn.Module:
    return nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(slope))


def untied() -> nn.Module:
    network = Tied()
    network.second.weight = nn.Parameter(torch.zeros(12, 12))
    return network


def holding(value: Tensor) -> nn.Module:
    network = nn.Linear(2, 2)
    network.held = value
    return network


def shared_storage() -> nn.Module:
    one, two = perceptron(), perceptron()
    two[0].weight.data = one[0].weight.data
    return two


def other(network: nn.Module, **changes: object) -> nn.Module:
    for name, value in changes.items():
        setattr(network, name, value)
    return network


TIED = Tied()


def pair(kind: Callable[..., nn.Module], one: dict[str, Any], two: dict[str, Any]) -> tuple[Build, Build]:
    return lambda: kind(**one), lambda: kind(**two)


conv = functools.partial(nn.Conv1d, 4, 4, 3)
attention = functools.partial(nn.MultiheadAttention, 4)
encoder = functools.partial(nn.TransformerEncoderLayer, 4, 2, 8)
pairs_of_layers = OrderedDict[str, nn.Module]

DIFFERENT: dict[str, tuple[str, tuple[Build, Build]]] = {
    "activation": (
        "layer 1: ReLU in the first, Tanh in the second",
        (perceptron, lambda: nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 3))),
    ),
    "a layer more": (
        "layer 3: absent in the first, Softmax in the second",
        (perceptron, lambda: perceptron().append(nn.Softmax(1))),  # type: ignore[operator]
    ),
    "another class": ("the network: Identity in the first, Flatten in the second", (nn.Identity, nn.Flatten)),
    "order": (
        "the network: its layers are a, b in the first and b, a in the second",
        (
            lambda: nn.Sequential(pairs_of_layers(a=nn.Linear(2, 2), b=nn.ReLU())),
            lambda: nn.Sequential(pairs_of_layers(b=nn.ReLU(), a=nn.Linear(2, 2))),
        ),
    ),
    "stride": (r"stride is \(1,\) in the first and \(2,\) in the second", pair(conv, {}, {"stride": 2})),
    "padding": (r"padding is \(0,\) in the first and \(1,\)", pair(conv, {}, {"padding": 1})),
    "padding mode": ("padding_mode is 'zeros'", pair(conv, {"padding": 1}, {"padding": 1, "padding_mode": "circular"})),
    "dilation": ("dilation", pair(conv, {}, {"dilation": 2})),
    "groups": ("groups is 1 in the first and 2", (lambda: nn.Conv1d(2, 4, 3), lambda: nn.Conv1d(4, 4, 3, groups=2))),
    "no bias": ("bias is of shape .4. in the first and absent in the second", pair(conv, {}, {"bias": False})),
    "eps": ("eps is 1e-05 in the first and 0.1", pair(functools.partial(nn.LayerNorm, 4), {}, {"eps": 0.1})),
    "heads": ("num_heads is 1 in the first and 2", pair(attention, {"num_heads": 1}, {"num_heads": 2})),
    "batch first": ("batch_first", pair(functools.partial(nn.LSTM, 2, 2), {}, {"batch_first": True})),
    "statistics": (
        "running_mean is of shape .4. in the first and absent",
        pair(functools.partial(nn.BatchNorm1d, 4), {}, {"track_running_stats": False}),
    ),
    "slope": ("layer 1: negative_slope", (lambda: leaky(0.1), lambda: leaky(0.2))),
    "approximation": ("approximate", pair(nn.GELU, {}, {"approximate": "tanh"})),
    "window": ("kernel_size is 2 in the first and 3", pair(nn.MaxPool1d, {"kernel_size": 2}, {"kernel_size": 3})),
    "norm first": ("norm_first is False in the first and True", pair(encoder, {}, {"norm_first": True})),
    "function": ("activation is relu in the first and gelu", pair(encoder, {}, {"activation": functional.gelu})),
    "builtin": ("act is relu in the first and tanh", pair(Free, {"act": torch.relu}, {"act": torch.tanh})),
    "lambda": (
        "act is not the same",
        pair(Free, {"act": lambda x: x * 2}, {"act": lambda x: x * 3}),
    ),
    "partial": (
        "act is not the same in the first",
        pair(
            Free,
            {"act": functools.partial(functional.leaky_relu, negative_slope=0.1)},
            {"act": functools.partial(functional.leaky_relu, negative_slope=0.2)},
        ),
    ),
    "constant": ("shift is 1 in the first and absent in the second", pair(Free, {"shift": 1}, {})),
    "named in a text": ("more is 1 in the first and 2", pair(Free, {"more": 1}, {"more": 2})),
    "constants": ("shift is", pair(Free, {"shift": {"a": [1, 2]}}, {"shift": {"a": [1, 3]}})),
    "constant tensor": ("shift is not the same", pair(Free, {"shift": torch.zeros(2)}, {"shift": torch.ones(2)})),
    "forward of one": ("forward is absent in the first and <lambda>", (perceptron, lambda: with_forward(lambda x: x))),
    "untied": ("second.weight is tied to first.weight in the first and a tensor of its own", (Tied, untied)),
    "tied": ("second.weight is a tensor of its own in the first and tied to first.weight", (untied, Tied)),
    "buffer absent": ("0.extra is absent in the first and of shape", (perceptron, lambda: with_buffer(torch.zeros(2)))),
    "buffer of a pass": (
        r"0.extra is of shape \[2\] in the first and of shape \[3\]",
        (lambda: with_buffer(torch.zeros(2), False), lambda: with_buffer(torch.zeros(3), False)),
    ),
    "numbers": (
        "0.extra is floating-point in the first and of torch.int64 in the second",
        (lambda: with_buffer(torch.zeros(2)), lambda: with_buffer(torch.arange(2))),
    ),
    "role": (
        "held is a parameter in the first and a buffer in the second",
        (lambda: holding(nn.Parameter(torch.zeros(2))), lambda: holding(nn.Buffer(torch.zeros(2)))),
    ),
    "closure": ("the network: two versions of Enclosed", (lambda: enclosed(1.0), lambda: enclosed(2.0))),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_computes_otherwise_is_told(what: str) -> None:
    words, (one, two) = DIFFERENT[what]
    with pytest.raises(SourceError, match=f"^sources 'a' and 'b' are of two architectures: .*{words}"):
        check_same(one(), "a", two(), "b")
    check_same(one(), "a", one(), "a")
    check_same(two(), "b", two(), "b")


CELLS = {
    "an activation": ("x.relu()", "x.tanh()"),
    "an operation": ("* self.factor +", "* self.factor -"),
    "a number": ("[1, 2]", "[1, 3]"),
    "a helper in it": ("lambda y: y,", "lambda y: -y,"),
    "a number outside": ("SLOPE = .1", "SLOPE = .2"),
    "a number of the class": ("factor = 2", "factor = 3"),
    "a usual value": ("shift=0.0", "shift=1.0"),
    "a kind of number": ("[1, 2]", "[1, 2.0]"),
}


@pytest.mark.parametrize("what", CELLS)
def test_a_class_whose_code_was_changed_is_another(what: str) -> None:
    old, new = CELLS[what]
    assert old in NET
    with pytest.raises(SourceError, match=r"the network: two versions of Net \(of __main__\), whose code is not the"):
        check_same(cell(NET)(), "a", cell(NET.replace(old, new))(), "b")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", ""),
        ('"Compute."', '"Say something else."'),
        ('"Compute."', ""),
        ('"fine"', '"not fine"'),
        ("def report", "def tell"),
        ("lambda y: y,", "lambda z: z,"),
        ("\nclass Net", "\n\n# A line more.\nclass Net"),
    ],
)
def test_a_cell_that_was_run_again_gives_the_same_class(old: str, new: str) -> None:
    assert old in NET
    check_same(cell(NET)(), "a", cell(NET.replace(old, new))(), "b")


def test_methods_above_the_class_count() -> None:
    below = NET + "\nclass Sub(Net):\n    def forward(self, x):\n        return super().forward(x)\n"
    check_same(cell(below, "Sub")(), "a", cell(below, "Sub")(), "b")
    with pytest.raises(SourceError, match="two versions of Sub"):
        check_same(cell(below, "Sub")(), "a", cell(below.replace("* self.factor", "/ self.factor"), "Sub")(), "b")


ALIKE: dict[str, tuple[Build, Build]] = {
    "dropout": (lambda: nn.Dropout(0.1), lambda: nn.Dropout(0.5, inplace=True)),
    "dropout within": pair(functools.partial(attention, 2), {"dropout": 0.1}, {"dropout": 0.2}),
    "momentum": pair(functools.partial(nn.BatchNorm1d, 4), {"momentum": 0.1}, {"momentum": None}),
    "in place": (nn.ReLU, lambda: nn.ReLU(inplace=True)),
    "mode": (perceptron, lambda: perceptron().eval()),
    "frozen": (perceptron, lambda: perceptron().requires_grad_(False)),
    "precision": (perceptron, lambda: perceptron().to(torch.bfloat16)),
    "one number for two": (lambda: nn.MaxPool2d(2), lambda: nn.MaxPool2d((2, 2))),
    "what forward never reads": (lambda: other(Free(), epoch=1, name="a"), lambda: other(Free(), epoch=2, loss=0.5)),
    "what forward counts": (lambda: other(Free(), calls=3), Free),
    "lambdas of one code": pair(Free, {"act": lambda x: x * 2}, {"act": lambda y: y * 2}),
    "no number": pair(Free, {"shift": float("nan")}, {"shift": float("nan")}),
    "equal constants": pair(Free, {"shift": torch.tensor([1, torch.nan])}, {"shift": torch.tensor([1, torch.nan])}),
    "objects of one's own": pair(Free, {"shift": object()}, {"shift": object()}),
    "graphs": (lambda: torch.fx.symbolic_trace(perceptron()), lambda: torch.fx.symbolic_trace(perceptron())),
    "a factory's classes": (lambda: enclosed(2.0), lambda: enclosed(2.0)),
    "a copy": (lambda: TIED, lambda: copy.deepcopy(TIED)),
    "a pickle": (lambda: TIED, lambda: pickle.loads(pickle.dumps(TIED))),
    "itself": (lambda: TIED, lambda: TIED),
    "one storage": (perceptron, shared_storage),
}


@pytest.mark.parametrize("what", ALIKE)
def test_what_computes_the_same_passes(what: str) -> None:
    one, two = ALIKE[what]
    check_same(one(), "a", two(), "b")
    check_same(two(), "b", one(), "a")


@pytest.mark.parametrize("name", [*ZOO, *TORCHVISION, *NETWORKS])
def test_networks_built_twice_pass(name: str) -> None:
    def build() -> nn.Module:
        if name in NETWORKS:
            return NETWORKS[name]()
        return build_network(name, {**ZOO, **TORCHVISION}[name], 5, seed=0)

    with torch.device("meta"):
        check_same(build(), "a", build(), "b")


@pytest.mark.parametrize("door", ["soft_merge", "merge", "align", "fuse"])
def test_every_door_compares_how_sources_compute(door: str) -> None:
    sources = [perceptron(), nn.Sequential(nn.Linear(12, 8), nn.Tanh(), nn.Linear(8, 3))]
    calls = {
        "soft_merge": lambda: soft_merge(sources, make_data(8)),
        "merge": lambda: merge("average", sources),
        "align": lambda: align(sources, how="none"),
        "fuse": lambda: fuse(sources, target=1),
    }
    with pytest.raises(SourceError, match=r"'source [12]' are of two architectures: layer 1: .*Tanh in"):
        calls[door]()
