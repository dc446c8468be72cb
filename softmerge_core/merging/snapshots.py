"""Snapshots of a merge, from which it resumes exactly. They are small, since only gates are trained."""

import io
from dataclasses import dataclass, field
from typing import Any

import torch

from softmerge_core.errors import RunError
from softmerge_core.merging.stages import StageResult


@dataclass
class Progression:
    """The progress of a merge: the current stage (or ""), its next step, the finished stages, and all steps done."""

    stage: str = ""
    stage_step: int = 0
    step: int = 0
    training: dict[str, Any] = field(default_factory=dict)
    best: StageResult | None = None
    done: dict[str, StageResult] = field(default_factory=dict)


def save_progression(progression: Progression, generator: torch.Generator) -> bytes:
    """Return everything needed to go on, as bytes."""
    plain = {**vars(progression), "generator": generator.get_state()}
    plain["best"] = progression.best and vars(progression.best)
    plain["done"] = {key: vars(result) for key, result in progression.done.items()}
    buffer = io.BytesIO()
    torch.save(plain, buffer)
    return buffer.getvalue()


def load_progression(snapshot: bytes, generator: torch.Generator) -> Progression:
    """Restore what ``save_progression`` returned, and set ``generator``; raises RunError for damaged bytes."""
    try:
        plain = torch.load(io.BytesIO(snapshot), weights_only=True)
        generator.set_state(plain.pop("generator"))
        plain["best"] = plain["best"] and StageResult(**plain["best"])
        plain["done"] = {key: StageResult(**result) for key, result in plain["done"].items()}
        return Progression(**plain)
    except Exception as error:  # what torch.load raises depends on where the damage is
        raise RunError(f"the snapshot is damaged: {error}") from error
