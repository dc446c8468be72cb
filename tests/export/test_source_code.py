"""The code that rebuilds a network gives the same network, and needs nothing of this project."""

from typing import Any

import pytest
import torch
from torchvision import models

from softmerge_core.errors import SoftMergeError
from softmerge_core.export.source_code import Code, Kind, code_of, standalone
from softmerge_core.networks import find_network, networks

SHAPES = {"vector": (5,), "sequence": (2, 12), "image": (2, 16, 16)}
BUILT_IN: list[Kind] = [(name, SHAPES[kind], 3) for name, network in networks().items() for kind in network.takes]
STEMS = ["resnet18-cifar", "resnext50_32x4d-cifar"]
LIGHT = [
    "alexnet",
    "mobilenet_v3_small",
    "shufflenet_v2_x0_5",
    "squeezenet1_1",
    "efficientnet_b0",
    "mnasnet0_5",
    "resnet18",
]
PICKY = {
    "vit_b_32": 64,
    "googlenet": 64,
    "inception_v3": 96,
    "densenet121": 64,
    "vgg11": 32,
    "swin_t": 64,
    "convnext_tiny": 64,
}
TORCHVISION: list[Kind] = [
    *((f"torchvision/{name}", (channels, 64, 64), 4) for name in [*LIGHT, *STEMS] for channels in (1, 3)),
    *((f"torchvision/{name}", (2, size, size), 4) for name, size in PICKY.items()),
]


def built(code: Code, kind: Kind) -> torch.nn.Module:
    """The network that the code builds."""
    names: dict[str, Any] = {"INPUT_SHAPE": kind[1], "CLASSES": kind[2], "__name__": "code"}
    exec("\n".join([*code.imports, code.body]), names)
    network: torch.nn.Module = eval(code.call, names)
    return network


def drawn(name: str, value: torch.Tensor) -> torch.Tensor:
    """Return random numbers in the place of a tensor without any: around 0, but for variances, around 1."""
    if not value.is_floating_point():
        return torch.zeros(value.shape, dtype=value.dtype)
    least, most = (0.5, 1.5) if name.endswith("running_var") else (-0.05, 0.05)
    return torch.empty(value.shape, dtype=value.dtype).uniform_(least, most)


@pytest.mark.parametrize("kind", [*BUILT_IN, *TORCHVISION], ids=str)
def test_the_code_builds_the_same_network(kind: Kind) -> None:
    code = code_of(kind)
    assert "softmerge" not in "\n".join([*code.imports, code.body])
    with torch.device("meta"):  # weights are drawn once, and not as each layer would like them
        ours, theirs = find_network(kind[0]).build(*kind[1:]).eval(), built(code, kind).eval()
    state = ours.state_dict()
    state.update({name: drawn(name, value) for name, value in state.items()})
    for network in (ours, theirs):
        network.load_state_dict(state, assign=True)
    inputs = torch.randn(2, *kind[1], generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        outputs = ours(inputs)
        assert torch.isfinite(outputs).all()
        assert torch.equal(outputs, theirs(inputs))


def test_the_code_of_larger_networks_is_python() -> None:
    names = [name for name in models.list_models(module=models) if name.startswith(("resnet", "regnet_y_4"))]
    assert names
    for name in names:
        compile(code_of((f"torchvision/{name}", (1, 32, 32), 2)).body, name, "exec")


@pytest.mark.parametrize(
    "source",
    [
        "from softmerge_core.numbers import finite\n\ndef build(shape, classes):\n    return finite(shape)\n",
        "import softmerge_core.numbers as ours\n\ndef build(shape, classes):\n    return ours.finite(shape)\n",
    ],
)
def test_code_that_uses_this_project_is_refused_by_name(source: str) -> None:
    with pytest.raises(
        SoftMergeError, match=r"network 'odd': expected source code that needs torch only, got .*(finite|ours)"
    ):
        standalone(source, "odd")


def test_comments_stay_and_the_docstring_and_the_entry_go() -> None:
    source = (
        '"""About."""\n\nfrom torch import nn\n\nfrom softmerge_core.networks.base import Network\n\nWIDTH = 4  # why\n'
        "\n\n"
        "def build(input_shape, classes):\n    return nn.Linear(WIDTH, classes)  # how\n\n\n"
        'NETWORK: Network = Network(\n    name="a",\n    build=build,\n)\n'
    )
    code = standalone(source, "a")
    assert code.imports == ("from torch import nn",)
    assert (
        code.body
        == "WIDTH = 4  # why\n\n\ndef build(input_shape, classes):\n    return nn.Linear(WIDTH, classes)  # how"
    )
