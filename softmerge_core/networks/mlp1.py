"""A multi-layer perceptron with one hidden layer of 128, as in Jordan et al. 2022 (arXiv 2211.08403)."""

from math import prod

from torch import nn

from softmerge_core.networks.base import Network
from softmerge_core.networks.mlp import MLP

WIDTH, LAYERS = 128, 1


def build(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return an MLP for samples of ``input_shape``."""
    return MLP(prod(input_shape), classes, WIDTH, LAYERS)


NETWORK = Network(
    name="mlp1",
    title="Perceptron, one layer of 128",
    takes={"vector": 1, "sequence": 1, "image": 1},
    build=build,
)
