"""Networks are told from the names and shapes of their tensors alone."""

import pytest

from softmerge_core.data import datasets
from softmerge_core.networks import TORCHVISION, build_network, fits, network_names
from softmerge_core.zoo.recognition import Kind, Shapes, layout, recognise_shapes

OTHERS = [  # networks of torchvision, as they are, for small images, and with other channels
    ("resnet18", (3, 224, 224), 1000),
    ("resnet18-cifar", (1, 28, 28), 10),
    ("wide_resnet50_2-cifar", (3, 32, 32), 100),
    ("resnet34", (1, 28, 28), 7),
    ("vgg11_bn", (3, 224, 224), 10),
    ("alexnet", (3, 224, 224), 10),
    ("squeezenet1_1", (3, 224, 224), 10),
    ("mobilenet_v3_small", (3, 224, 224), 10),
    ("shufflenet_v2_x0_5", (3, 224, 224), 10),
    ("efficientnet_b0", (3, 224, 224), 10),
    ("regnet_x_400mf", (3, 224, 224), 10),
    ("googlenet", (3, 224, 224), 10),
    ("inception_v3", (3, 224, 224), 10),
    ("maxvit_t", (3, 224, 224), 10),
    ("vit_b_16", (3, 32, 32), 10),
    ("vit_b_32", (3, 224, 224), 1000),
]


def shapes(kind: Kind) -> dict[str, tuple[int, ...]]:
    name, input_shape, classes = kind
    return {key: tuple(value.shape) for key, value in build_network(name, input_shape, classes, 0).state_dict().items()}


@pytest.mark.parametrize("name", network_names())
@pytest.mark.parametrize("classes", [2, 10, 29])
def test_built_in_networks_are_recognised_whatever_their_classes(name: str, classes: int) -> None:
    for dataset in datasets().values():
        if fits(name, dataset.input_shape, classes):
            kind = name, dataset.input_shape, classes
            assert recognise_shapes(shapes(kind), [dataset.input_shape]) == kind


@pytest.mark.parametrize(("name", "input_shape", "classes"), OTHERS)
def test_networks_of_torchvision_are_recognised(name: str, input_shape: tuple[int, ...], classes: int) -> None:
    kind = TORCHVISION + name, input_shape, classes
    assert recognise_shapes(layout(kind), [input_shape]) == kind


def test_without_a_fitting_input_shape_the_usual_one_is_named() -> None:
    for name, usual in (("resnet18-cifar", 32), ("resnet18", 224), ("vit_b_16", 64)):
        kind = TORCHVISION + name, (3, usual, usual), 10
        for tried in ([], [(1, 28, 28)], [(40,)]):
            assert recognise_shapes(layout(kind), tried) == kind


def test_images_that_a_network_cannot_take_are_not_those_that_are_named() -> None:
    kind = f"{TORCHVISION}vit_b_16", (3, 64, 64), 10
    assert recognise_shapes(layout(kind), [(3, 50, 50)]) == kind
    assert layout((kind[0], (3, 50, 50), 10)) == {}


@pytest.mark.parametrize("change", ["missing", "unexpected", "wider", "swapped", "empty"])
def test_what_fits_no_network_is_recognised_as_none(change: str) -> None:
    known: dict[str, tuple[int, ...]] = layout((f"{TORCHVISION}resnet18-cifar", (3, 32, 32), 10))
    changed: dict[str, Shapes] = {
        "missing": {key: size for key, size in known.items() if key != "layer2.0.conv1.weight"},
        "unexpected": {**known, "more": (3,)},
        "wider": {**known, "layer3.1.conv2.weight": (256, 300, 3, 3)},
        "swapped": {**known, "fc.weight": known["conv1.weight"], "conv1.weight": known["fc.weight"]},
        "empty": {},
    }
    assert recognise_shapes(changed[change], [(3, 32, 32)]) is None
