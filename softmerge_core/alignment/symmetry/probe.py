"""Inputs that a network can read, inferred from its first layer if none are given; only their shapes matter."""

import copy
from collections.abc import Callable, Iterator
from itertools import chain, product

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from softmerge_core.alignment.symmetry.tracing import without_values
from softmerge_core.errors import SourceError

USUAL = (
    8,
    28,
    32,
    40,
    64,
    224,
)  # tried first, because a pass that fails late in a deep network costs as much as one that succeeds
SIZES = tuple(dict.fromkeys((*USUAL, *range(1, 65), 96, 112, 128, 160, 192, 240, 256, 299, 320, 384)))
FAILURES = (RuntimeError, ValueError, IndexError, TypeError, AssertionError, NotImplementedError)


def example(network: nn.Module, inputs: Tensor | None = None) -> Tensor:
    """Return two samples without values (on the meta device) of a shape that ``network`` reads.

    The shape is that of ``inputs`` [N, ...], if given. Raises SourceError if no shape is found.
    """
    if inputs is not None:
        return torch.empty(2, *inputs.shape[1:], dtype=inputs.dtype, device="meta")
    for device in ("meta", "cpu"):  # the CPU is for networks that need values
        bare = without_values(network) if device == "meta" else copy.deepcopy(network).cpu().eval()
        for sample in candidates(network):
            if runs(bare, torch.zeros_like(sample, device=device)):
                return sample
    raise SourceError(
        f"{type(network).__name__}: expected a network whose inputs can be told from its first layer; give some inputs"
    )


@torch.no_grad()
def runs(network: Callable[[Tensor], object], sample: Tensor) -> bool:
    """Tell whether the network can read ``sample``."""
    try:
        network(sample)
    except FAILURES:
        return False
    return True


def candidates(network: nn.Module) -> Iterator[Tensor]:
    """Yield inputs that the first layer suggests, usual sizes first; then the same ones flattened."""
    dtype = next((p.dtype for p in network.parameters()), torch.float32)
    first = next((m for m in network.modules() if isinstance(m, (nn.Linear, _ConvNd, nn.RNNBase, nn.Embedding))), None)
    if isinstance(first, nn.Embedding):
        for size in SIZES:
            yield torch.empty(2, size, dtype=torch.int64, device="meta")
        return
    shapes = list(_shapes(first))
    flat = [(torch.Size(shape).numel(),) for shape in shapes]
    for shape in dict.fromkeys(chain(shapes, flat)):
        yield torch.empty(2, *shape, dtype=dtype, device="meta")


def _shapes(first: nn.Module | None) -> Iterator[tuple[int, ...]]:
    if isinstance(first, nn.Linear):
        yield (first.in_features,)
        yield from ((size, first.in_features) for size in SIZES)
    elif isinstance(first, _ConvNd):
        rank = len(first.kernel_size)
        yield from ((first.in_channels, *[size] * rank) for size in SIZES)
    elif isinstance(first, nn.RNNBase):
        width = first.input_size
        yield from product(range(2, 65), (width,))
        yield from ((1, steps * width) for steps in range(2, 65))
        yield from ((channels, width, width // channels) for channels in (1, 2, 3) if width % channels == 0)
