"""Weights as plain arrays are those that torch reads, and no torch is needed for them."""

from pathlib import Path

import numpy as np
import pytest

from softmerge_core.errors import CheckpointError, NotFoundError
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import load_source
from softmerge_core.zoo.arrays import arrays_of
from tests.test_fences import loaded_after

MODEL = "spirals-mlp-independent/source-1"


def test_they_are_what_torch_reads() -> None:
    state = load_source(SourceSpec(model=MODEL)).module.state_dict()
    found = arrays_of(MODEL)
    assert found.keys() == state.keys()
    assert all(np.array_equal(found[name], state[name].numpy()) for name in state)


def test_no_torch_is_loaded() -> None:
    assert "torch" not in loaded_after(f"from softmerge_core.zoo.arrays import arrays_of; arrays_of({MODEL!r})")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="nothing"):
        arrays_of("nothing/x")
    (tmp_path / "bad.safetensors").write_bytes(b"\x05\0\0\0\0\0\0\0{}   junk")
    with pytest.raises(CheckpointError, match=r"bad\.safetensors: expected plain numbers in safetensors"):
        arrays_of(str(tmp_path / "bad.safetensors"))
