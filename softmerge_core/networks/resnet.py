"""A ResNet-like network with BatchNorm (He et al. 2015, arXiv 1512.03385): a stem and three blocks."""

from torch import Tensor, nn
from torch.nn.functional import relu

from softmerge_core.networks.base import Network


class Block(nn.Module):
    """Two 3x3 convolutions with BatchNorm, added to the input (projected by 1x1 where the shape changes)."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(width)
        same = channels == width and stride == 1
        self.shortcut = nn.Identity() if same else nn.Conv2d(channels, width, 1, stride=stride, bias=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return [N, width, height / stride, width / stride] of [N, channels, height, width]."""
        hidden = self.norm2(self.conv2(relu(self.norm1(self.conv1(inputs)))))
        return relu(hidden + self.shortcut(inputs))


class ResNet(nn.Module):
    """A convolutional stem, three residual blocks, average pooling, and a linear head."""

    def __init__(self, channels: int, classes: int, width: int = 12) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        self.block1 = Block(width, width, 1)
        self.block2 = Block(width, 2 * width, 2)
        self.block3 = Block(2 * width, 2 * width, 1)
        self.head = nn.Linear(2 * width, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [N, classes] of inputs [N, channels, height, width]."""
        hidden = self.block3(self.block2(self.block1(relu(self.stem(inputs)))))
        logits: Tensor = self.head(hidden.mean((2, 3)))
        return logits


def build(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return a ResNet for images of ``input_shape`` = (channels, height, width)."""
    return ResNet(input_shape[0], classes)


NETWORK = Network(name="resnet", title="ResNet-like with BatchNorm", takes={"image": 8}, build=build)
