"""The arrays that ship are made for every data set that can make its own."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from softmerge_core.data import digits, mnist1d, prepare


def test_every_data_set_that_ships_arrays_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, module in enumerate((digits, mnist1d)):
        monkeypatch.setattr(module, "FILE", tmp_path / "arrays" / f"{number}.safetensors")
        monkeypatch.setattr(module, "generate", lambda number=number: {"images": np.full(3, number)})
    prepare.main()
    for number in range(2):
        assert load_file(tmp_path / "arrays" / f"{number}.safetensors")["images"].tolist() == [number] * 3
