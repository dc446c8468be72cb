"""Which network a state dict is of, told from the names and shapes of its tensors."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import torch
from torch import nn

from softmerge_core.errors import DataError
from softmerge_core.networks import TORCHVISION, find_network, fits, network_names
from softmerge_core.networks.torchvision import CIFAR, construct, has_stem, parameter_counts

Shapes = Mapping[str, tuple[int, ...]]  # of the tensors in a state dict, by their names
Kind = tuple[str, tuple[int, ...], int]  # network, input shape, classes
HEAD = re.compile(r"(^|\.)(fc|classifier(\.\d+)?|heads?(\.\w+)?)\.weight")  # of torchvision's last layers
TRIED = (3, 5)  # classes: an axis that follows them is that of the classes
NEAR = 0.15  # of the parameters by which a network may differ from torchvision's count: other channels, another stem
SMALL_STEM = 3  # px: the kernel of a stem for small images
SMALL, LARGE = 32, 224  # px: the sides of the images that networks are usually made for
BUFFERS = ("running_mean", "running_var", "num_batches_tracked")


def recognise_shapes(shapes: Shapes, input_shapes: Sequence[tuple[int, ...]]) -> Kind | None:
    """Return the first network that has exactly these tensors, with its classes and one of ``input_shapes``; or None.

    Built-in networks come first. Those of torchvision may read images of any size: what they are made for is named
    where no input shape has the channels that they read.
    """
    for kind in chain(_built_in(shapes, input_shapes), _torchvision(shapes, input_shapes)):
        if layout(kind) == shapes:
            return kind
    return None


def layout(kind: Kind) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors that a network has, built without memory for them; empty where none can be."""
    try:
        network = constructed(*kind)
    except (DataError, ValueError, RuntimeError, AssertionError):
        return {}
    return {key: tuple(value.shape) for key, value in network.state_dict().items()}


def constructed(name: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return a network without memory for its weights, where torch can build it so."""
    try:
        with torch.device("meta"):
            return _built(name, input_shape, classes)
    except NotImplementedError:  # RegNets compute their widths with tensors
        return _built(name, input_shape, classes)


def _built(name: str, input_shape: tuple[int, ...], classes: int) -> nn.Module:
    if name.startswith(TORCHVISION):
        return construct(name.removeprefix(TORCHVISION), input_shape, classes)
    return find_network(name).build(input_shape, classes)


def _built_in(shapes: Shapes, input_shapes: Sequence[tuple[int, ...]]) -> Iterator[Kind]:
    for name in network_names():
        for shape in input_shapes:
            if fits(name, shape, TRIED[0]) and (classes := _classes(name, shape, shapes)):
                yield name, shape, classes


def _classes(name: str, input_shape: tuple[int, ...], shapes: Shapes) -> int:
    """Return how many classes the tensors tell apart if they are of this network; 0 where they cannot be."""
    one, other = (layout((name, input_shape, classes)) for classes in TRIED)
    if one.keys() != shapes.keys():
        return 0
    for key, size in one.items():
        if size != other[key] and len(size) == len(shapes[key]):
            axis = next(axis for axis, pair in enumerate(zip(size, other[key], strict=True)) if pair[0] != pair[1])
            return shapes[key][axis]
    return 0


def _torchvision(shapes: Shapes, input_shapes: Sequence[tuple[int, ...]]) -> Iterator[Kind]:
    """Yield the networks of torchvision with about as many parameters, nearest first."""
    head = next((key for key in sorted(shapes, key=_place, reverse=True) if HEAD.fullmatch(key)), "")
    if len(shapes.get(head, ())) not in (2, 4):
        return
    rows, columns = shapes[head][:2]
    total = sum(math.prod(size) for key, size in shapes.items() if not key.endswith(BUFFERS))
    counts = parameter_counts(rows, columns)
    for name in sorted(counts, key=lambda name: abs(counts[name] - total)):
        if abs(counts[name] - total) > NEAR * counts[name]:
            return
        if stem := _stem(name, rows, shapes):
            small = has_stem(name) and stem[-1] == SMALL_STEM
            usual = _side(small, shapes)
            for shape in (*(each for each in input_shapes if each[0] == stem[1]), (stem[1], usual, usual)):
                yield f"{TORCHVISION}{name}{CIFAR if small else ''}", shape, rows


def _stem(name: str, classes: int, shapes: Shapes) -> tuple[int, ...]:
    """Return the shape of the weights that read the images if the tensors are of this network; () where none can be."""
    own = layout((TORCHVISION + name, (3, LARGE, LARGE), classes))
    first = next((key for key, size in own.items() if len(size) == 4), "")
    found = shapes.get(first, ())
    return found if len(found) == 4 else ()


def _side(small: bool, shapes: Shapes) -> int:
    """Return the side in px of the images that a network is made for, as far as its tensors tell, or the usual one."""
    places, patches = shapes.get("encoder.pos_embedding", ()), shapes.get("conv_proj.weight", ())
    if len(places) == 3 and len(patches) == 4:  # of a vision transformer: one place for each patch, and one more
        return round(math.sqrt(places[1] - 1)) * patches[-1]
    return SMALL if small else LARGE


def _place(key: str) -> list[tuple[int, str]]:
    """Sort names as layers follow each other: "2" comes before "10"."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in key.split(".")]
