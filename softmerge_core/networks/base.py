"""The form of a network's entry. It loads no torch, although the files that make networks do."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from softmerge_core.errors import DataError

if TYPE_CHECKING:
    from torch import nn

Kind = Literal["vector", "sequence", "image"]
USUAL = (28, 32, 224)  # sides of images, and lengths, that networks are usually made for
CHANNELS = (3, 1)
KIND_OF_RANK: dict[int, Kind] = {1: "vector", 2: "sequence", 3: "image"}  # [F]; [channels, L]; [channels, H, W]


@dataclass(frozen=True)
class Network:
    """An architecture, declared in its own file as ``NETWORK = Network(name=..., title=..., takes=..., build=...)``.

    ``name``, ``title`` and ``takes`` are written out as literals, so that pages can read them from the source without
    loading torch. ``takes`` maps each kind of input it can read to the smallest size of each axis but the channels.
    ``build(input_shape, classes)`` draws the weights from the current random state. ``where``: file and line where
    the reader has registered it, and ``sha256`` (hex) of that file as it was then; "" for those that ship.
    """

    name: str
    title: str
    takes: Mapping[Kind, int]
    build: "Callable[[tuple[int, ...], int], nn.Module]"
    where: str = ""
    sha256: str = ""

    @property
    def file(self) -> str:
        """The name of the file in which the reader has registered it; "" for those that ship."""
        return self.where.rpartition(", line ")[0]

    def check_fit(self, input_shape: tuple[int, ...], classes: int) -> None:
        """Raise DataError when it cannot take samples of ``input_shape`` or tell ``classes`` apart."""
        check_sizes(self.name, input_shape, classes)
        kind = KIND_OF_RANK.get(len(input_shape))
        if kind is None or kind not in self.takes:
            expected, got = " or ".join(self.takes), kind or f"{len(input_shape)}-dimensional array"
            raise DataError(f"network {self.name!r}: expected {expected} inputs, got {got} {tuple(input_shape)}")
        sizes, smallest = input_shape if kind == "vector" else input_shape[1:], self.takes[kind]
        if min(sizes) < smallest:
            least = "x".join([str(smallest)] * len(sizes))
            raise DataError(f"network {self.name!r}: expected {kind}s of at least {least}, got {tuple(input_shape)}")


def check_sizes(name: str, input_shape: tuple[int, ...], classes: int) -> None:
    """Raise DataError unless there are two classes or more and every axis has a positive size."""
    if classes < 2:
        raise DataError(f"network {name!r}: expected at least 2 classes, got {classes}")
    if not input_shape or min(input_shape) < 1:
        raise DataError(f"network {name!r}: expected positive input sizes, got {tuple(input_shape)}")


def usual_shapes(kind: Kind, smallest: int) -> list[tuple[int, ...]]:
    """Return shapes of samples of a kind, of which a network is likely to read one; ``smallest``: as it ``takes``."""
    sizes = [smallest, *(side for side in USUAL if side > smallest)]
    if kind == "vector":
        return [(size,) for size in sizes]
    return [(channels, *[size] * (1 if kind == "sequence" else 2)) for channels in CHANNELS for size in sizes]
