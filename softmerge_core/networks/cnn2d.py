"""A small two-dimensional convolutional network: three layers of 16, 32 and 64 channels, each halving the picture."""

from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu

from softmerge_core.networks.base import Network


class CNN2d(nn.Module):
    """Three 3x3 convolutions, each followed by pooling, and a linear head."""

    def __init__(self, input_shape: tuple[int, ...], classes: int, width: int = 16) -> None:
        super().__init__()
        channels, height, breadth = input_shape
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.conv3 = nn.Conv2d(2 * width, 4 * width, 3, padding=1)
        self.head = nn.Linear(4 * width * (height // 8) * (breadth // 8), classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [N, classes] of inputs [N, channels, height, width], both at least 8."""
        hidden = max_pool2d(relu(self.conv1(inputs)), 2)
        hidden = max_pool2d(relu(self.conv2(hidden)), 2)
        hidden = max_pool2d(relu(self.conv3(hidden)), 2)
        logits: Tensor = self.head(hidden.flatten(1))
        return logits


def build(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return a CNN for images of ``input_shape`` = (channels, height, width)."""
    return CNN2d(input_shape, classes)


NETWORK = Network(name="cnn2d", title="2-D convolutional network", takes={"image": 8}, build=build)
