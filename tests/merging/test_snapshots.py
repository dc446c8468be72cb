"""Snapshots can be saved and restored, and damaged ones are refused."""

import pytest
import torch

from softmerge_core.errors import RunError
from softmerge_core.merging.snapshots import Progression, load_progression, save_progression
from softmerge_core.merging.stages import StageResult


def test_out_and_in_again() -> None:
    generator = torch.Generator().manual_seed(7)
    best = StageResult("layer", torch.rand(2, 3), 0.5, 0.9, torch.rand(2, 1))
    done = {"model": StageResult("model", torch.rand(1, 3), 0.6, 0.8, torch.zeros(1, 1))}
    saved = save_progression(Progression("layer", 8, 20, {"log_alpha": torch.ones(2, 3)}, best, done), generator)
    expected = torch.rand(3, generator=generator)
    other = torch.Generator()
    loaded = load_progression(saved, other)
    assert torch.equal(torch.rand(3, generator=other), expected)
    assert (loaded.stage, loaded.stage_step, loaded.step) == ("layer", 8, 20)
    assert torch.equal(loaded.best.logits, best.logits)
    assert torch.equal(loaded.best.scale, best.scale)
    assert torch.equal(loaded.done["model"].logits, done["model"].logits)


@pytest.mark.parametrize("damage", [b"", b"\x80", b"PK\x03\x04 half a file"])
def test_damage_is_a_run_error(damage: bytes) -> None:
    with pytest.raises(RunError, match="snapshot is damaged"):
        load_progression(damage, torch.Generator())
