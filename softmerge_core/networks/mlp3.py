"""A multi-layer perceptron with three hidden layers of 128, as in Jordan et al. 2022 (arXiv 2211.08403)."""

from math import prod

from torch import Tensor, nn
from torch.nn.functional import relu

from softmerge_core.networks.base import Network


class MLP3(nn.Module):
    """Three times Linear and ReLU, and a linear head, over flattened inputs."""

    def __init__(self, inputs: int, classes: int, width: int = 128) -> None:
        super().__init__()
        self.hidden1 = nn.Linear(inputs, width)
        self.hidden2 = nn.Linear(width, width)
        self.hidden3 = nn.Linear(width, width)
        self.head = nn.Linear(width, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [N, classes] of inputs [N, ...]."""
        hidden = relu(self.hidden2(relu(self.hidden1(inputs.flatten(1)))))
        logits: Tensor = self.head(relu(self.hidden3(hidden)))
        return logits


def build(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return an MLP for samples of ``input_shape``."""
    return MLP3(prod(input_shape), classes)


NETWORK = Network(
    name="mlp3",
    title="Perceptron, three layers of 128",
    takes={"vector": 1, "sequence": 1, "image": 1},
    build=build,
)
