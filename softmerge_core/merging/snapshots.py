"""Snapshots of a merge, from which it resumes exactly. They are small, since only gates are trained."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from softmerge_core.errors import RunError
from softmerge_core.merging.changes import Change
from softmerge_core.merging.stages import StageResult

FORMAT = 3  # of what is saved; changes with what gate training keeps


@dataclass
class Progression:
    """The progress of a merge: the current stage (or ""), its next step, the finished stages, and all steps done.

    ``since`` counts the evaluations since the ``best`` one of the stage, and ``improved`` tells whether any was better
    than its first; ``total`` are the steps of all stages, less those that were found needless. ``changes`` are those of
    the settings that were taken so far, as plain values.
    """

    stage: str = ""
    stage_step: int = 0
    step: int = 0
    training: dict[str, Any] = field(default_factory=dict)
    best: StageResult | None = None
    done: dict[str, StageResult] = field(default_factory=dict)
    since: int = 0
    improved: bool = False
    total: int = 0
    changes: list[dict[str, Any]] = field(default_factory=list)


def save_progression(progression: Progression, generator: torch.Generator) -> bytes:
    """Return everything needed to go on, as bytes."""
    plain = {**vars(progression), "format": FORMAT, "generator": generator.get_state()}
    plain["best"] = progression.best and vars(progression.best)
    plain["done"] = {key: vars(result) for key, result in progression.done.items()}
    buffer = io.BytesIO()
    torch.save(plain, buffer)
    return buffer.getvalue()


def load_progression(snapshot: bytes, generator: torch.Generator) -> Progression:
    """Restore what ``save_progression`` returned, and set ``generator``.

    Raises RunError for damaged bytes, and for those of an older version.
    """
    try:
        plain = torch.load(io.BytesIO(snapshot), weights_only=True)
        found = plain.pop("format", 1)
        generator.set_state(plain.pop("generator"))
        plain["best"] = plain["best"] and StageResult(**plain["best"])
        plain["done"] = {key: StageResult(**result) for key, result in plain["done"].items()}
        progression = Progression(**plain)
    except Exception as error:  # what torch.load raises depends on where the damage is
        raise RunError(f"the snapshot is damaged: {error}") from error
    if found != FORMAT:
        raise RunError("the snapshot was made by an older version and cannot be gone on from; start the run again")
    return progression


def fits(snapshot: bytes, changes: Sequence[Change]) -> bool:
    """Whether a merge with these ``changes`` comes by a ``snapshot`` of the same merge with, perhaps, others."""
    try:
        found = load_progression(snapshot, torch.Generator())
        return found.changes == [change.model_dump() for change in changes if change.step < found.step]
    except RunError:
        return False
