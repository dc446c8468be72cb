"""The multi-layer perceptron with layers of twice the width: the same design, so optimal transport bridges the two."""

from math import prod

from torch import nn

from softmerge_core.networks.base import Network
from softmerge_core.networks.mlp import MLP

WIDTH = 64


def build(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return a wide MLP for samples of ``input_shape``."""
    return MLP(prod(input_shape), classes, WIDTH)


NETWORK = Network(
    name="mlp_wide",
    title="Multi-layer perceptron, wide",
    takes={"vector": 1, "sequence": 1, "image": 1},
    build=build,
)
