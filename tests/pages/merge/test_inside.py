"""What the merged network does, on the Merge page: what is told at first, what choices change, what old runs say."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.merge import predicted
from pages.merge.inside_pictures import data_problem
from pages.merge.predicted import Inside
from softmerge_core.experiments.merge.predictions import NAME, read_predictions
from softmerge_core.runs import RunStore
from tests.pages.conftest import Desk, press, texts

Open = Callable[..., AppTest]
EXAMPLE = "example:first-look"
RUN = "20260101-000000-0000abcd"


@pytest.fixture
def old(desk: Desk) -> Path:
    """The weights of the shipped example as a run of one's own, as an earlier version left it."""
    folder = desk.store.root / RUN
    shutil.copytree(RunStore().folder(EXAMPLE), folder)
    (folder / "weights" / f"{NAME}.safetensors").unlink()
    return folder / "weights"


def test_the_example_shows_samples_mistakes_and_calibration_at_first_sight_and_choices_change_them(
    open_app: Open,
) -> None:
    page = open_app()
    told = texts(page)
    assert "Of 1,500 test samples the merged network gets 246 right that the plain average gets wrong" in told
    assert "Right where the plain average is wrong.** 1 to 12 of 246" in told
    assert "Wrong where the plain average is right.** 1 to 12 of 85" in told
    assert "Confusion matrix of the merged network.** The merged network is wrong on 566 samples" in told
    assert "calibration error 6.6\u00a0points" in told
    page.button(key="inside-gained-next").click().run()
    page.button(key="inside-gained-next").click().run()
    page.button(key="inside-gained-back").click().run()
    assert "13 to 24 of 246" in texts(page)
    assert "1 to 12 of 85" in texts(page)  # the other gallery stays where it was
    assert page.button(key="inside-lost-back").disabled
    page.selectbox(key="inside-partner").set_value("Best source").run()
    page.selectbox(key="inside-network").set_value("Best source").run()
    told = texts(page)
    assert not page.exception
    assert "Right where the best source is wrong.** 13 to 24 of" in told
    assert "Confusion matrix of the best source" in told
    assert "Both are the same network" in told


def test_what_an_older_run_did_not_keep_is_computed_when_it_is_asked_for(
    open_app: Open, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, ...]] = []

    def compute(*arguments: str, failure: str) -> dict[str, Any]:
        asked.append(arguments)
        shutil.copyfile(RunStore().weights(EXAMPLE, NAME), arguments[2])
        return {}

    monkeypatch.setattr(predicted, "engine_command", compute)
    page = open_app(**{"merge:run": RUN})
    assert "did not keep what its networks predict" in texts(page)
    assert "Of 1,500 test samples" not in texts(page)
    press(page, "Compute predictions")
    assert "Of 1,500 test samples the merged network gets 246 right" in texts(page)
    assert [arguments[:2] for arguments in asked] == [("predictions", RUN)]
    assert not (old / f"{NAME}.safetensors").exists()  # pages only read run folders


def test_a_run_without_weights_and_one_with_a_damaged_file_say_so(open_app: Open, old: Path) -> None:
    (old / f"{NAME}.safetensors").write_bytes(b"\x10" + bytes(30))
    page = open_app(**{"merge:run": RUN})
    assert "of run '20260101" in texts(page).replace("\\", "")
    assert "is damaged" in texts(page)
    shutil.rmtree(old)
    page.run()
    assert "kept neither its weights nor what its networks predict" in texts(page)
    assert not page.exception


def test_data_that_are_gone_or_others_show_no_pictures_but_take_nothing_else_away() -> None:
    found = read_predictions(RunStore().weights(EXAMPLE, NAME), 3, 0)
    assert found is not None
    names = tuple(map(str, range(29)))
    assert data_problem(Inside(found, "skills", names, ("a", "b", "c"))) == ""
    other = data_problem(Inside(found, "fashion", names, ("a", "b", "c")))
    assert other == "Their pictures cannot be shown: the data are not those that the run was tested on."
    gone = data_problem(Inside(found, "/nowhere/mine.npz", names, ("a", "b", "c")))
    assert gone.startswith("Their pictures cannot be shown: data file 'mine.npz'")
