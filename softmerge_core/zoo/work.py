"""The multiply-adds of one forward pass through a network, counted once and kept: they tell how long a merge takes."""

import hashlib
import json
from pathlib import Path

from softmerge_core.home import home, write_atomic

Kind = tuple[str, tuple[int, ...], int]  # network, input shape, classes
# Of the networks of the families that ship, for one sample.
COUNTED: dict[Kind, int] = {
    ("cnn1d", (1, 40), 10): 29_520,
    ("lstm", (1, 40), 10): 100_320,
    ("mlp", (2,), 2): 1_152,
    ("mlp", (2,), 3): 1_184,
    ("resnet", (1, 8, 8), 10): 467_952,
    ("cnn2d", (1, 28, 28), 10): 1_924_992,
    ("mlp", (1, 28, 28), 10): 26_432,
    ("mlp3", (1, 28, 28), 10): 134_400,
    ("mlp3", (1, 28, 28), 29): 136_832,
    ("mlp_wide", (2,), 3): 4_416,
    ("vgg", (1, 8, 8), 10): 382_272,
    ("vit", (1, 8, 8), 10): 297_280,
}


def known_work(kind: Kind) -> int | None:
    """The multiply-adds of one sample, where they have been counted; loads no torch."""
    if kind in COUNTED:
        return COUNTED[kind]
    try:
        return int(json.loads(_place(kind).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def keep_work(kind: Kind) -> int | None:
    """Count the multiply-adds of a network and keep the number; None where it cannot be counted. Loads torch."""
    if (known := known_work(kind)) is not None:
        return known
    try:
        found = count_work(kind)
    except Exception:  # a network that refuses to compute without weights; its time is not told then
        return None
    try:
        _place(kind).parent.mkdir(parents=True, exist_ok=True)
        write_atomic(_place(kind), json.dumps(found).encode(), durable=False)
    except OSError:
        pass
    return found


def count_work(kind: Kind) -> int:
    """Return the multiply-adds of one sample, counted on a network without memory for its weights."""
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    from softmerge_core.zoo.recognition import meta_network

    network = meta_network(kind).eval()
    sample = torch.empty(1, *kind[1], device=next(network.parameters()).device)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        network(sample)
    return int(counter.get_total_flops()) // 2


def _place(kind: Kind) -> Path:
    sign = hashlib.sha256(json.dumps(kind).encode()).hexdigest()[:32]
    return home() / "measured" / f"work-{sign}.json"
