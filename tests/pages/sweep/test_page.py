"""The Sweep page and the menu that begins a sweep, without workers."""

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.shared.runs.vary import SWEEP
from softmerge_core.experiments import experiment
from softmerge_core.experiments.merge.spec import small
from softmerge_core.experiments.sweeping.spec import Axis, Listed, Sweep
from softmerge_core.runs import files
from softmerge_core.runs.sweep_reader import SweepReader
from softmerge_core.runs.sweeps import KeptSweep, create_sweep, read_sweep, sweep_ids
from softmerge_core.runs.together import conduct_together
from softmerge_core.runs.writer import conduct
from tests.pages.conftest import APP, READER, Desk, button, opened, press, texts

PAGE = """
from pages.shared.show.site_map import register_pages
from pages.site import PAGES, site_pages

register_pages(site_pages())
PAGES["sweep"][0]()
"""
MENU = """
from pages.shared.runs.vary import vary
from pages.shared.show.site_map import register_pages
from pages.site import site_pages
from softmerge_core.experiments.merge.spec import small

register_pages(site_pages())
vary("merge", small())
"""
LEARNING = Axis(path="settings.learning_rate", range=Listed(listed=(0.05, 0.1)))
ALIGN = Axis(path="settings.normalise", range=Listed(listed=(True, False)))
PENALTY = Axis(path="settings.penalty", range=Listed(listed=(0.002,)))


def made(desk: Desk, *axes: Axis, seeds: tuple[int, ...] = (0, 1)) -> KeptSweep:
    return create_sweep(desk.store, Sweep(base=small(), axes=axes, seeds=seeds), READER)


def done(desk: Desk, *axes: Axis) -> KeptSweep:
    kept = made(desk, *axes)
    conduct_together([(desk.store.folder(run_id), 1) for run_id in kept.runs])
    return kept


def test_before_the_first_sweep_it_says_how_to_begin_one(desk: Desk) -> None:
    page = opened(PAGE)
    assert "No sweep has been started here yet" in texts(page)
    assert "press **Vary** beside Start" in texts(page)
    assert {link.page for link in page.get("page_link")} >= {"compare", "scope"}


@pytest.mark.parametrize("axes", [(LEARNING,), (LEARNING, ALIGN), (LEARNING, ALIGN, PENALTY)])
def test_a_finished_sweep_is_told_and_drawn(desk: Desk, axes: tuple[Axis, ...]) -> None:
    kept = done(desk, *axes)
    page = opened(PAGE, **{f"{SWEEP}:shown": kept.id})
    said = texts(page).replace("\\", "")
    assert "on validation data" in said
    assert "It was chosen by validation accuracy alone" in said
    drawn = page.session_state["sweep:drawn"]
    names = {1: {"line-main", "line-open"}, 2: {"map-main", "map-open"}, 3: {"parallel"}}[len(axes)]
    assert set(drawn) == names | {"front", "curves"}
    assert all(figure is not None for _, figure in drawn.values())
    assert button(page, "Stop").disabled
    assert button(page, "Go on").disabled


def test_a_sweep_of_barriers_is_told_in_its_own_words_and_has_no_best_point(desk: Desk) -> None:
    axis = Axis(path="weight", range=Listed(listed=(0.1, 1.0)))
    kept = create_sweep(desk.store, Sweep(base=experiment("scope").small(), axes=(axis,), seeds=(0,)), READER)
    for run_id, error in zip(kept.runs, (0.2, None), strict=True):
        folder, sides = desk.store.folder(run_id), {"aligned": error, "plain": 0.3}
        files.write_json(folder / files.RESULT, {side: {"barrier": {"error": value}} for side, value in sides.items()})
        files.write_json(folder / files.END, {"status": "finished", "attempt": 1})
    page = opened(PAGE, **{f"{SWEEP}:shown": kept.id})
    said = texts(page).replace("\\", "").replace("\u00a0", " ")
    assert "KL weight 0.1 has the lowest test error barrier with alignment: 20.0 points" in said
    assert "in points; lower is better. Nothing was chosen" in said
    assert "2 of 2 runs are done; 1 came to no number." in page.get("progress")[0].proto.text
    assert set(page.session_state["sweep:drawn"]) == {"line-main"}, "its accuracies are no curve of the barrier"


@pytest.mark.parametrize("kind", ["compare", "robustness", "connectivity", "scope"])
def test_the_menu_asks_for_seeds_only_where_a_run_has_one(desk: Desk, kind: str) -> None:
    script = MENU.replace("softmerge_core.experiments.merge.spec", f"softmerge_core.experiments.{kind}.spec")
    path = "data.train_samples"
    page = opened(script.replace('vary("merge"', f'vary("{kind}"'), **{
        f"{kind}-vary": True, f"vary:{kind}:settings": [path], f"vary:{kind}:{path}:spacing": "list",
        f"vary:{kind}:{path}:list": "50, 60", f"vary:{kind}:base": False,
    })  # fmt: skip
    seeded = kind != "compare"
    assert ("Seeds" in [each.label for each in page.number_input]) == seeded
    assert ("2 points with 3 seeds each: 6 runs." if seeded else "2 points: 2 runs.") in texts(page)
    assert ("Each run has as many seeds as this page sets." in texts(page)) != seeded


def test_a_live_sweep_is_stopped_by_who_started_it_alone(desk: Desk) -> None:
    kept = made(desk, LEARNING)
    page = opened(PAGE)
    assert "0 of 4 runs are done; 4 waiting for a worker." in page.get("progress")[0].proto.text
    assert "No point is done yet" in texts(page)
    press(page, "Stop")
    assert sorted(desk.requests) == sorted(("stop", run_id) for run_id in kept.runs)
    assert button(opened(PAGE, visitor="somebody else"), "Stop").disabled


def test_a_sweep_is_deleted_with_its_runs_and_brought_back(desk: Desk) -> None:
    kept = made(desk, LEARNING)
    for run_id in kept.runs:
        files.write_json(desk.store.folder(run_id) / files.END, {"status": "stopped", "attempt": 1})
    page = press(opened(PAGE), "Delete")
    assert sweep_ids(desk.store) == []
    assert desk.store.list() == []
    press(page, "Undo")
    assert read_sweep(desk.store, kept.id) == kept
    assert {run.id for run in desk.store.list()} == set(kept.runs)


def test_a_sweep_that_is_not_there_is_told_and_the_newest_is_shown(desk: Desk) -> None:
    made(desk, LEARNING)
    page = opened(PAGE, **{f"{SWEEP}:shown": "20200101-000000-00000000"})
    assert "There is no sweep" in texts(page)
    assert "No point is done yet" in texts(page)


def test_a_run_that_was_deleted_is_counted_as_gone(desk: Desk) -> None:
    kept = done(desk, LEARNING)
    desk.store.delete(kept.runs[0])
    page = opened(PAGE)
    assert "3 of 4 runs are done; 1 deleted." in page.get("progress")[0].proto.text


def opened_menu(desk: Desk, **state: Any) -> AppTest:
    return opened(MENU, **{"merge-vary": True, **state})


def test_the_menu_begins_a_sweep_of_the_settings_on_the_page(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[tuple[Sweep, str]] = []

    def submit_sweep(sweep: Sweep, *, owner: str) -> KeptSweep:
        begun.append((sweep, owner))
        return create_sweep(desk.store, sweep, owner)

    monkeypatch.setattr(desk, "submit_sweep", submit_sweep, raising=False)
    monkeypatch.setattr("streamlit.switch_page", lambda *_, **__: None)
    page = opened_menu(desk)
    assert "Choose a setting above" in texts(page)
    page.multiselect(key="vary:merge:settings").set_value(["settings.penalty", "settings.granularity"]).run()
    assert not page.exception
    assert "35 points with 3 seeds each: 105 runs." in texts(page)  # seven penalties, five granularities
    press(page, "Start the sweep")
    [(sweep, owner)] = begun
    assert (sweep.base, sweep.seeds, owner) == (small(), (0, 1, 2), READER)
    assert [axis.path for axis in sweep.axes] == ["settings.penalty", "settings.granularity"]


def test_the_menu_says_what_is_wrong_with_a_range(desk: Desk) -> None:
    page = opened_menu(desk, **{
        "vary:merge:settings": ["settings.penalty"], "vary:merge:settings.penalty:spacing": "list",
        "vary:merge:settings.penalty:list": "0.1, 11",
    })  # fmt: skip
    assert "Penalty 11: Penalty: expected at most 10" in "\n".join(str(error.value) for error in page.error).replace(
        "\\", ""
    )
    assert button(page, "Start the sweep").disabled


def test_it_stands_beside_start_and_draws_nothing_until_it_is_opened(desk: Desk) -> None:
    page = opened(APP)
    assert not [each for each in page.multiselect if each.label == "Settings to vary"]


def test_earlier_runs_and_live_ones_are_not_those_of_a_sweep(desk: Desk, home_folder: Path) -> None:
    from pages.shared.runs.services import newest_runs, run_index

    made(desk, LEARNING)
    assert newest_runs("merge", 10) == []
    assert run_index().unended("merge", 10) == []
    single = desk.store.create(small())
    assert newest_runs("merge", 10) == [single]
    run_index().refresh()
    assert [run.id for run in run_index().find(points=False)] == [single]
    assert len(run_index().find()) == 5


def test_the_runs_page_counts_the_points_of_sweeps_and_lists_them_when_asked(desk: Desk) -> None:
    kept = made(desk, LEARNING)
    script = PAGE.replace('PAGES["sweep"]', 'PAGES["runs"]')
    page = opened(script)
    assert "No single run has been started here yet; 4 runs of sweeps are on the Sweep page" in texts(page)
    page.toggle(key="runs-points").set_value(True).run()
    assert not page.exception
    assert len(page.dataframe[0].value) == len(kept.runs)


def test_a_reader_takes_what_is_new_and_begins_anew_with_a_new_attempt(desk: Desk) -> None:
    kept = made(desk, LEARNING)
    reader = SweepReader(desk.store, kept)
    assert reader.live
    assert reader.curves == {}
    before = reader.changes
    reader.poll()
    assert reader.changes == before
    conduct_together([(desk.store.folder(run_id), 1) for run_id in kept.runs])
    reader.poll()
    assert reader.changes > before
    assert not reader.live
    assert set(reader.outcomes) == set(kept.runs)
    curve = reader.curves[kept.runs[0]]
    assert [step for step, _ in curve] == sorted(step for step, _ in curve)
    assert len(curve) > 1
    assert conduct(desk.store.folder(kept.runs[0])) == "finished"
    log = reader._logs[kept.runs[0]]
    assert log.read()
    assert [step for step, _ in log.curve] == [step for step, _ in curve], "nothing of the attempt before is left"
