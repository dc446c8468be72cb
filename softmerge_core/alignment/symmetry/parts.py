"""The parts of a network's symmetry: groups of units, the axes along which they lie, the places where they are seen."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Axis:
    """The positions of a group on axis ``dim`` of tensor ``name``, in the order [outer, size, inner] from ``start`` on.

    ``size`` is the number of units; ``outer`` is how often all units are repeated (4 for an LSTM's gates); ``inner``
    is the number of positions that a unit takes (the pixels of a flattened channel). ``reads`` is true if the axis
    meets the layer's input. ``rows`` (first, count) are the only positions of axis 0 at which it holds, if not all: a
    grouped convolution has other inputs in the rows of each group.
    """

    name: str
    dim: int
    start: int
    outer: int
    size: int
    inner: int
    reads: bool
    rows: tuple[int, int] | None = None

    @property
    def length(self) -> int:
        """The number of positions from ``start`` on."""
        return self.outer * self.size * self.inner

    def blocks(self, tensor: Tensor) -> Tensor:
        """Return a view of the part of ``tensor`` that belongs to the group, as [outer, size, inner, ...]."""
        part = tensor if self.rows is None else tensor.narrow(0, *self.rows)
        run = part.narrow(self.dim, self.start, self.length).movedim(self.dim, 0)
        return torch.unflatten(run, 0, (self.outer, self.size, self.inner))

    def move_(self, tensor: Tensor, order: Tensor) -> None:
        """Put unit ``order[i]`` of ``tensor`` in place i, for all i at once; ``order`` [size]."""
        blocks = self.blocks(tensor)
        blocks.copy_(blocks.index_select(1, order.to(tensor.device)))


@dataclass(frozen=True)
class Group:
    """The ``size`` units that are permuted together along ``axes``; named after the first tensor that computes them.

    Where units are the groups of a grouped convolution, ``inside`` are the units that these hold.
    """

    name: str
    size: int
    axes: tuple[Axis, ...]
    inside: tuple["Inside", ...] = ()


@dataclass(frozen=True)
class Inside:
    """Units in blocks of one size, one block for each group of a convolution: its inputs, or its outputs.

    ``names`` are the groups of the units of each block, which change places inside it. ``units`` are all of them in one
    row: they may only be permuted as whole blocks and inside blocks.
    """

    names: tuple[str, ...]
    units: Group


@dataclass(frozen=True)
class Place:
    """A place where a group's activations can be seen: the input of layer call number ``call``, along ``axis``.

    ``group`` is the name of a group, or of the ``units`` inside one.
    """

    group: str
    call: int
    axis: int
    start: int
    outer: int
    size: int
    inner: int


@dataclass(frozen=True)
class Symmetry:
    """All groups of a network, in the order of its parameters, and the places where their activations can be seen.

    A group of blocks comes before the groups inside its blocks: permutations are applied in this order.
    """

    groups: tuple[Group, ...]
    places: tuple[Place, ...]
