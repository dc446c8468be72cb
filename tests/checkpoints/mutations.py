"""Whole weights files of every form, for ``tests.mutations`` to damage, each with the reader of such files."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from softmerge_core.checkpoints.files import load_checkpoint, state_hash
from softmerge_core.errors import CheckpointError
from tests.checkpoints.test_hostile_files import STATE, training_state
from tests.mutations import CANARY, Reader

TYPED = CheckpointError
MOST = 2**30  # bytes that the process may hold at its peak


class Evil:
    """Pickled, it leaves a canary."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"open({str(self.place / CANARY)!r}, 'w').close()",)


def read(path: Path) -> None:
    """Read a file as the door does, all of it."""
    state_hash(load_checkpoint(path))


def saved(state: Any, **options: Any) -> bytes:
    """What ``torch.save`` writes."""
    made = io.BytesIO()
    torch.save(state, made, **options)
    return made.getvalue()


def samples(folder: Path) -> Iterator[tuple[str, bytes, Reader]]:
    """Safetensors, torch's two containers, plain and of a whole training, with code in them, and an index of shards."""
    names, shards = list(STATE), ("m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors")
    places = {name: shards[place % 2] for place, name in enumerate(names)}
    for shard in shards:
        part = {name: STATE[name] for name in names if places[name] == shard}
        (folder / shard).write_bytes(safetensors.torch.save(part))
    index = json.dumps({"metadata": {"total_size": 1}, "weight_map": places}).encode()
    yield "a.safetensors", safetensors.torch.save(STATE), read
    yield "b.pt", saved(STATE), read
    yield "c.pt", saved(STATE, _use_new_zipfile_serialization=False), read
    yield "d.pt", saved(training_state()), read
    yield "e.pt", saved(training_state(), _use_new_zipfile_serialization=False), read
    yield "f.pt", saved({"a": Evil(folder)}), read
    yield "g.pt", saved({"a": Evil(folder)}, _use_new_zipfile_serialization=False), read
    yield "m.safetensors.index.json", index, read
