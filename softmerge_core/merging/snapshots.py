"""The whole state of a merge under way: small, since only gates are trained. A merge resumes from it exactly."""

import io
from dataclasses import dataclass, field
from typing import Any

import torch

from softmerge_core.errors import RunError
from softmerge_core.merging.stages import StageResult


@dataclass
class Progression:
    """Where a merge stands: the stage under way (or ""), its next step, the finished stages, steps done in all."""

    stage: str = ""
    stage_step: int = 0
    step: int = 0
    training: dict[str, Any] = field(default_factory=dict)
    best: StageResult | None = None
    done: dict[str, StageResult] = field(default_factory=dict)


def save_progression(progression: Progression, generator: torch.Generator) -> bytes:
    """Everything needed to go on, as bytes."""
    plain = {**vars(progression), "generator": generator.get_state()}
    plain["best"] = progression.best and vars(progression.best)
    plain["done"] = {key: vars(result) for key, result in progression.done.items()}
    buffer = io.BytesIO()
    torch.save(plain, buffer)
    return buffer.getvalue()


def load_progression(snapshot: bytes, generator: torch.Generator) -> Progression:
    """The inverse of ``save_progression``; sets ``generator``. Raises RunError when the bytes are damaged."""
    try:
        plain = torch.load(io.BytesIO(snapshot), weights_only=True)
        generator.set_state(plain.pop("generator"))
        plain["best"] = plain["best"] and StageResult(**plain["best"])
        plain["done"] = {key: StageResult(**result) for key, result in plain["done"].items()}
        return Progression(**plain)
    except Exception as error:  # torch.load raises whatever the damage happens to touch
        raise RunError(f"the snapshot is damaged: {error}") from error
