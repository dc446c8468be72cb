"""A VGG-like network without BatchNorm (Simonyan and Zisserman 2014, arXiv 1409.1556), from 8x8 pixels up."""

from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, max_pool2d, relu

from softmerge_core.networks.base import Network


class VGG(nn.Module):
    """Two pairs of 3x3 convolutions, each followed by pooling, and two linear layers."""

    def __init__(self, channels: int, classes: int, width: int = 16) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1)
        self.conv3 = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.conv4 = nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.dense = nn.Linear(8 * width, 2 * width)
        self.head = nn.Linear(2 * width, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [N, classes] of inputs [N, channels, height, width], both at least 8."""
        hidden = max_pool2d(relu(self.conv2(relu(self.conv1(inputs)))), 2)
        hidden = relu(self.conv4(relu(self.conv3(hidden))))
        pooled = adaptive_avg_pool2d(hidden, 2).flatten(1)
        logits: Tensor = self.head(relu(self.dense(pooled)))
        return logits


def build(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return a VGG for images of ``input_shape`` = (channels, height, width)."""
    return VGG(input_shape[0], classes)


NETWORK = Network(name="vgg", title="VGG-like, no BatchNorm", takes={"image": 8}, build=build)
