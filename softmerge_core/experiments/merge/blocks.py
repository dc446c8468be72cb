"""The layers of a large network in blocks, told from their names, so that hundreds of them can be read."""

from collections import Counter
from collections.abc import Sequence

MANY = 20  # layers: a network of more is read block by block
WRAPPER = 0.8  # the share of all layers from which a module is no block but what holds the blocks


def block_names(names: Sequence[str]) -> tuple[str, ...]:
    """For each layer's name, in the network's order, the block that it lies in: what such names begin with.

    A block is a child of the network: "layer1", "fc". A child that holds nearly all layers is a wrapper, whose own
    children are the blocks: "features.3", "encoder.layers.encoder_layer_3".
    """
    blocks = [_ahead(name, "") for name in names]
    while wrapper := _wrapper(names, blocks):
        blocks = [
            _ahead(name, wrapper) if block == wrapper else block for name, block in zip(names, blocks, strict=True)
        ]
    return tuple(blocks)


def _ahead(name: str, block: str) -> str:
    """``name`` up to the part that follows ``block``."""
    rest = name[len(block) + 1 :] if block else name
    part = rest.partition(".")[0]
    return f"{block}.{part}" if block and part else part or block


def _wrapper(names: Sequence[str], blocks: Sequence[str]) -> str:
    """The block that holds nearly all layers and can be divided; "" where there is none."""
    counts = Counter(blocks)
    large = (block for block, count in counts.items() if count > WRAPPER * len(names))
    return next((block for block in large if any(_ahead(n, block) != block for n in _within(names, blocks, block))), "")


def _within(names: Sequence[str], blocks: Sequence[str], block: str) -> list[str]:
    return [name for name, own in zip(names, blocks, strict=True) if own == block]


def short_names(blocks: Sequence[str]) -> dict[str, str]:
    """Each block by the last parts of its name, as many as tell it from all others, and never by a bare number."""
    distinct = list(dict.fromkeys(blocks))
    return {block: _short(block, distinct) for block in distinct}


def _short(block: str, blocks: Sequence[str]) -> str:
    parts = block.split(".")
    for count in range(1, len(parts) + 1):
        end = ".".join(parts[-count:])
        alone = sum(other == end or other.endswith(f".{end}") for other in blocks) == 1
        if alone and not parts[-count].isdigit():
            return end
    return block


def inner_name(name: str, block: str) -> str:
    """A layer's name without its block's; whole where nothing or a bare number is left."""
    inner = name.removeprefix(f"{block}.")
    return name if inner.replace(".", "").isdigit() else inner


def matching(names: Sequence[str], wanted: str) -> tuple[str, ...]:
    """The names that hold every word of ``wanted``, whatever their case; all of them for an empty search."""
    words = wanted.lower().split()
    return tuple(name for name in names if all(word in name.lower() for word in words))
