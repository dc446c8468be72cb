"""A multi-layer perceptron, usually with two hidden layers."""

from math import prod

from torch import Tensor, nn
from torch.nn.functional import relu

from softmerge_core.networks.base import Network


class MLP(nn.Module):
    """Linear and ReLU, ``layers`` times, and a linear head, over flattened inputs."""

    def __init__(self, inputs: int, classes: int, width: int = 32, layers: int = 2) -> None:
        super().__init__()
        self.layers = layers
        for number in range(layers):
            self.add_module(f"hidden{number + 1}", nn.Linear(width if number else inputs, width))
        self.head = nn.Linear(width, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [N, classes] of inputs [N, ...]."""
        hidden = inputs.flatten(1)
        for number in range(self.layers):
            hidden = relu(self.get_submodule(f"hidden{number + 1}")(hidden))
        logits: Tensor = self.head(hidden)
        return logits


def build(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return an MLP for samples of ``input_shape``."""
    return MLP(prod(input_shape), classes)


NETWORK = Network(
    name="mlp",
    title="Multi-layer perceptron",
    takes={"vector": 1, "sequence": 1, "image": 1},
    build=build,
)
