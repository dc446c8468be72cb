"""VGG-11 with BatchNorm for images of 32x32 (Simonyan and Zisserman 2014, arXiv 1409.1556, table 1, A).

A file of networks: `softmerge app --networks benchmarks/vgg11_bn.py` offers it wherever networks are chosen.
"""

from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from softmerge_core import register_network

POOL = 0
LAYERS = (64, POOL, 128, POOL, 256, 256, POOL, 512, 512, POOL, 512, 512, POOL)


class VGG11BN(nn.Module):
    """Eight 3x3 convolutions, each with BatchNorm, and one linear layer: 9.2 million weights.

    The names are those of the usual implementations for CIFAR (``features.0.weight`` to ``classifier.weight``), so
    their checkpoints fit. Pooling rounds up, so that 28x28 pixels end in one, as 32x32 do; of more their mean is taken.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(*_layers(channels))
        self.classifier = nn.Linear(LAYERS[-2], classes)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [N, classes] of inputs [N, channels, height, width], both at least 8."""
        logits: Tensor = self.classifier(adaptive_avg_pool2d(self.features(inputs), 1).flatten(1))
        return logits


def _layers(channels: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for width in LAYERS:
        if width == POOL:
            layers += [nn.MaxPool2d(2, ceil_mode=True)]
        else:
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU(inplace=True)]
            channels = width
    return layers


def build(input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return a VGG-11 for images of ``input_shape`` = (channels, height, width)."""
    return VGG11BN(input_shape[0], classes)


register_network("vgg11_bn", build, title="VGG-11 with BatchNorm, 32x32", takes={"image": 8})
