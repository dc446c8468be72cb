"""A multi-layer perceptron with two hidden layers."""

from math import prod

from torch import Tensor, nn
from torch.nn.functional import relu

from softmerge_core.networks.base import Network


class MLP(nn.Module):
    """Linear, ReLU, Linear, ReLU, Linear over flattened inputs."""

    def __init__(self, inputs: int, classes: int, width: int = 32) -> None:
        super().__init__()
        self.hidden1 = nn.Linear(inputs, width)
        self.hidden2 = nn.Linear(width, width)
        self.head = nn.Linear(width, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [N, classes] of inputs [N, ...]."""
        logits: Tensor = self.head(relu(self.hidden2(relu(self.hidden1(inputs.flatten(1))))))
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
