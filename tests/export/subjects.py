"""Networks to take along, for tests: shipped ones and torchvision's, with outputs that are worth comparing."""

import torch
from torch import nn

from softmerge_core.export.source_code import Kind
from softmerge_core.export.subject import MODEL, Subject, open_subject
from softmerge_core.networks import build_network

EVIL = (
    '"""; import os; os.system("x")\n\'\'\'); <script>alert(1)</script> **bold** $x^2$ :smile: @someone '
    "[a](http://b.c) | \\ `y`\r---\u202e"
)
SHIPPED = {
    "cnn1d": "mnist1d-cnn-independent/source-1",
    "lstm": "mnist1d-lstm-shared-trunk/source-1",
    "mlp": "spirals-mlp-independent/source-1",
    "resnet": "digits-resnet-specialists/source-1",
    "vit": "digits-vit-shared-trunk/source-1",
    "vgg": "digits-vgg-label-noise/source-1",
}
TORCHVISION: dict[str, tuple[Kind, str]] = {
    "resnet18-cifar": (("torchvision/resnet18-cifar", (1, 8, 8), 10), "digits"),
    "mobilenet_v3_small": (("torchvision/mobilenet_v3_small", (1, 16, 16), 10), "digits16"),
}
NAMES = (*SHIPPED, *TORCHVISION)


def subject(name: str) -> Subject:
    """The network called so in NAMES."""
    return open_subject(SHIPPED[name]) if name in SHIPPED else of_torchvision(*TORCHVISION[name])


def of_torchvision(kind: Kind, dataset: str, title: str = EVIL) -> Subject:
    """A network with random weights, whose BatchNorm has statistics of its own."""
    network = build_network(*kind, seed=3)
    generator = torch.Generator().manual_seed(4)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features, generator=generator) * 0.1  # type: ignore[assignment]
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5  # type: ignore[assignment]
    return Subject(MODEL, title, kind, dataset, network.state_dict(), {"format": "pt"}, lambda files: "A card.\n")
