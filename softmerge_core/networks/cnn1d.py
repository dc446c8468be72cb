"""A small one-dimensional convolutional network: three layers of 24 channels, each halving the length."""

from torch import Tensor, nn
from torch.nn.functional import relu

from softmerge_core.networks.base import Network


class CNN1d(nn.Module):
    """Three strided convolutions and a linear head."""

    def __init__(self, channels: int, length: int, classes: int, width: int = 24) -> None:
        super().__init__()
        self.conv1 = nn.Conv1d(channels, width, 5, stride=2, padding=2)
        self.conv2 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(width, width, 3, stride=2, padding=1)
        self.head = nn.Linear(width * -(-length // 8), classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [N, classes] of inputs [N, channels, length]."""
        hidden = relu(self.conv3(relu(self.conv2(relu(self.conv1(inputs))))))
        logits: Tensor = self.head(hidden.flatten(1))
        return logits


def build(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return a CNN for sequences of ``input_shape`` = (channels, length)."""
    channels, length = input_shape
    return CNN1d(channels, length, classes)


NETWORK = Network(name="cnn1d", title="1-D convolutional network", takes={"sequence": 1}, build=build)
