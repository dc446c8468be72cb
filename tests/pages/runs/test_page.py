"""The Runs page: what is listed, found, named, thrown away and brought back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.runs import bringing
from pages.shared.runs.services import run_index, starter
from softmerge_core.errors import BundleError
from softmerge_core.experiments import experiment
from softmerge_core.export.bundle.bringing import Brought
from softmerge_core.runs import files
from softmerge_core.runs.labels import Labels
from softmerge_core.runs.store import RunStore, create_folder
from tests.pages.conftest import READER, Desk, opened, press, texts

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAGE = """
from pages.runs.page import page
from pages.shared.show.site_map import register_pages
from pages.site import site_pages

register_pages(site_pages())
page()
"""
CHOSEN = """
from pages.runs.acting import actions
from pages.runs.beside import side_by_side
from pages.shared.choose.deleted import tell_deleted
from pages.shared.runs.services import run_index

run_index().refresh()
tell_deleted("runs")
chosen = run_index().get({ids})
actions(chosen)
side_by_side(chosen)
"""


def made(store: RunStore, number: int, kind: str = "merge", status: str = "finished", message: str = "Done.") -> str:
    """The id of a run that ended so; the higher its number, the newer it is."""
    spec = experiment(kind).example().model_copy(update={"name": f"Try {number}"})
    create_folder(store.root / f"run-{number}", spec, BEGIN + timedelta(minutes=number))
    if status != "waiting":
        values = {"status": status, "attempt": 1, "message": message}
        files.write_json(store.root / f"run-{number}" / files.END, values)
    return f"run-{number}"


@pytest.fixture
def runs_page(desk: Desk) -> Callable[..., AppTest]:
    """Open the Runs page."""
    return lambda **state: opened(PAGE, **state)


def listed(page: AppTest) -> list[str]:
    return list(page.dataframe[0].value["Name"]) if page.dataframe else []


def test_before_the_first_run_it_says_so_and_shows_the_examples(desk: Desk, runs_page: Callable[..., AppTest]) -> None:
    page = runs_page()
    assert "No run has been started here yet" in texts(page)
    assert not page.dataframe
    names = [run.name for run in desk.store.examples()]
    assert len(names) >= 6
    assert all(name.split(",")[0] in texts(page).replace("\\", "") for name in names)


def test_runs_of_every_kind_are_listed_with_what_changed(desk: Desk, runs_page: Callable[..., AppTest]) -> None:
    made(desk.store, 1, message="Soft merging is 3.1 points above.")
    made(desk.store, 2, "compare", "failed")
    made(desk.store, 3, "merge", "waiting")
    table = runs_page().dataframe[0].value
    assert list(table["Name"]) == ["Try 3", "Try 2", "Try 1"]
    assert list(table["State"]) == ["waiting for a worker", "failed", "finished"]
    assert list(table["Changed"]) == ["nothing", "the first of its kind", "the first of its kind"]
    assert table["Outcome"][2] == "Soft merging is 3.1 points above."
    assert str(table["When"][2]) == "2026-03-01 12:01:00+00:00"


def test_words_and_kinds_narrow_the_list(desk: Desk, runs_page: Callable[..., AppTest]) -> None:
    made(desk.store, 1, message="Memory ran out.")
    made(desk.store, 2, "compare")
    page = runs_page()
    page.text_input(key="runs-words").set_value("memory").run()
    assert listed(page) == ["Try 1"]
    assert "1 run like that, of 2" in texts(page).replace("\\", "")
    page.text_input(key="runs-words").set_value("").run()
    page.multiselect(key="runs-kinds").set_value(["compare"]).run()
    assert listed(page) == ["Try 2"]
    page.multiselect(key="runs-states").set_value(["failed"]).run()
    assert "No run is like that" in texts(page)
    assert not page.exception


def test_a_long_list_is_shown_in_pieces(desk: Desk, runs_page: Callable[..., AppTest]) -> None:
    for number in range(103):
        made(desk.store, number)
    page = runs_page()
    assert len(listed(page)) == 100
    press(page, "Show 3 more of 103")
    assert len(listed(page)) == 103


def test_folders_that_are_no_runs_are_told(desk: Desk, runs_page: Callable[..., AppTest]) -> None:
    made(desk.store, 1)
    (desk.store.root / made(desk.store, 2) / files.SPEC).write_text("{")
    page = runs_page()
    assert listed(page) == ["Try 1"]
    assert any("1 set apart" in expander.label for expander in page.expander)
    assert "is damaged" in texts(page)


def test_a_run_is_named_and_given_tags(desk: Desk) -> None:
    run_id = made(desk.store, 1)
    page = opened(CHOSEN.format(ids=[run_id]))
    page.text_input(key=f"runs-name:{run_id}").set_value("Mine <b>")
    page.text_input(key=f"runs-tags:{run_id}").set_value("lecture, figure 3")
    press(page, "Save")
    run_index().refresh()
    (found,) = run_index().find(tags=["lecture"])
    assert (found.name, found.tags) == ("Mine <b>", ("lecture", "figure 3"))
    page.text_input(key=f"runs-tags:{run_id}").set_value("x" * 50)
    press(page, "Save")
    assert "at most 40 letters" in texts(page)


def test_several_runs_share_tags_and_keep_their_own(desk: Desk) -> None:
    ids = [made(desk.store, 1), made(desk.store, 2)]
    desk.store.label("run-1", Labels("One", ("own", "both")))
    desk.store.label("run-2", Labels("", ("both",)))
    page = opened(CHOSEN.format(ids=ids))
    key = "runs-tags:run-1,run-2"
    assert page.text_input(key=key).value == "both"
    page.text_input(key=key).set_value("new")
    press(page, "Save")
    run_index().refresh()
    assert [run.tags for run in run_index().get(ids)] == [("own", "new"), ("new",)]
    assert [run.name for run in run_index().get(ids)] == ["One", "Try 2"]


def test_runs_are_deleted_and_brought_back(desk: Desk) -> None:
    ids = [made(desk.store, 1), made(desk.store, 2)]
    page = press(opened(CHOSEN.format(ids=ids)), "Delete")
    assert [run.id for run in desk.store.list()] == []
    press(page, "Undo")
    assert sorted(run.id for run in desk.store.list()) == ids


def test_a_live_run_cannot_be_deleted(desk: Desk) -> None:
    page = opened(CHOSEN.format(ids=[made(desk.store, 1, status="waiting")]))
    assert next(button for button in page.button if button.label == "Delete").disabled


def test_runs_of_one_kind_stand_side_by_side(desk: Desk) -> None:
    ids = [made(desk.store, 1), made(desk.store, 2)]
    page = opened(CHOSEN.format(ids=ids))
    assert [header.value for header in page.header] == ["Side by side"]
    assert "All their settings are the same" in texts(page)
    other = opened(CHOSEN.format(ids=[ids[0], made(desk.store, 3, "compare")]))
    assert "Choose runs of one kind" in texts(other)
    many = opened(CHOSEN.format(ids=[made(desk.store, number) for number in range(10, 17)]))
    assert "7 are chosen" in texts(many)


def test_a_bundle_that_is_dropped_is_a_run_of_its_visitor_and_is_worked_on_once(
    desk: Desk, runs_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def bring(path: Path, called: str, store: RunStore) -> Brought:
        asked.append(f"{called}: {path.read_bytes().decode()}")
        run_id = made(store, 7)
        return Brought(run_id, "merge", "Try 7", False, ("a *model* is left out",))

    monkeypatch.setattr(bringing, "bring_in", bring)
    page = runs_page()
    page.file_uploader(key="upload-bundle").upload("mine.zip", b"all of it")
    page.run()
    assert not page.exception
    assert [str(element.value) for element in page.success] == ["mine\\.zip is a run again."]
    assert "a \\*model\\* is left out" in texts(page)
    assert listed(page) == ["Try 7"]
    page.run()
    assert asked == ["mine.zip: all of it"]
    assert starter("run-7") == READER
    press(page, "Open it")


def test_a_bundle_that_is_refused_says_why(
    desk: Desk, runs_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, called: str, store: RunStore) -> Brought:
        raise BundleError(f"{called}: expected a bundle, got: <b>nothing</b>")

    monkeypatch.setattr(bringing, "bring_in", refuse)
    page = runs_page()
    page.file_uploader(key="upload-bundle").upload("bad.zip", b"x")
    page.run()
    (error,) = page.error
    assert str(error.value).startswith("bad\\.zip: expected a bundle, got: \\<b\\>")
    assert not page.success
