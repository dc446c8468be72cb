from pathlib import Path

import pytest

from softmerge_core.home import home


def test_home_is_the_folder_of_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOFTMERGE_HOME", str(tmp_path / "here"))
    assert home() == tmp_path / "here"
    assert not home().exists()


def test_home_expands_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SOFTMERGE_HOME", "~/soft")
    assert home() == tmp_path / "soft"


@pytest.mark.parametrize("value", [None, ""])
def test_home_falls_back_to_the_users_data_folder(value: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOFTMERGE_HOME")
    if value is not None:
        monkeypatch.setenv("SOFTMERGE_HOME", value)
    assert home().is_absolute()
    assert home().name == "softmerge"
