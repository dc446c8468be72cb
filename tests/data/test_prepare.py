"""The arrays that ship are made for every data set that can make its own."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from softmerge_core.data import digits, fashion, mnist1d, prepare, skills


def test_every_data_set_that_ships_arrays_writes_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number, module in enumerate((digits, mnist1d, fashion, skills)):
        monkeypatch.setattr(module, "FILE", tmp_path / "arrays" / f"{number}{module.FILE.suffix}")
        monkeypatch.setattr(module, "generate", lambda number=number: {"images": np.full(3, number)})
    prepare.main()
    for number in range(4):
        load = load_file if number < 2 else np.load
        path = next((tmp_path / "arrays").glob(f"{number}.*"))
        assert load(path)["images"].tolist() == [number] * 3


def test_only_the_named_ones_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (digits, fashion):
        monkeypatch.setattr(module, "FILE", tmp_path / module.FILE.name)
        monkeypatch.setattr(module, "generate", lambda: {"images": np.zeros(1)})
    prepare.main(["fashion"])
    assert [path.name for path in tmp_path.iterdir()] == ["fashion.npz"]
