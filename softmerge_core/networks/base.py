"""What a network entry is."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Network:
    """An architecture; ``build(input_shape, classes)`` draws its weights from the current random state."""

    name: str
    title: str
    build: Callable[[tuple[int, ...], int], nn.Module]
    kinds: tuple[str, ...]  # of "vector", "sequence", "image"
