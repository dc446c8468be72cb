"""A run at a glance: a few bars of its own numbers, for every kind that has a recorded run."""

import json
from typing import Any

import pytest

from softmerge_core.experiments.glance import MOST, glance
from softmerge_core.runs import RunStore, RunView
from softmerge_core.runs.store import EXAMPLE, EXAMPLES

STORE = RunStore()
RUNS = [run.id for run in STORE.examples()]
MOST_BYTES = 350_000  # of one recorded run: they come with the package


def seen(run_id: str) -> RunView:
    return STORE.read(run_id)


@pytest.mark.parametrize("run_id", RUNS)
def test_every_recorded_run_has_bars_of_its_own_numbers(run_id: str) -> None:
    view = seen(run_id)
    title, groups = glance(view.spec, view.result or {}, view.events)
    assert title
    assert any(group.strong for group in groups)
    assert any(not group.strong for group in groups)
    assert all(0 <= value <= 1 for group in groups for value in group.values)
    assert all(0 < len(group.values) <= MOST for group in groups)


def test_what_another_version_wrote_has_none() -> None:
    spec: Any = seen("example:first-look").spec
    assert glance(spec, {}, []) == ("", [])
    assert glance(spec, {"accuracy": {"soft": None}}, [])[1] == []


def test_the_gallery_has_a_sentence_for_each_recorded_run_and_no_other() -> None:
    told = json.loads((EXAMPLES / "gallery.json").read_text(encoding="utf-8"))
    assert sorted(EXAMPLE + each["run"] for each in told) == sorted(RUNS)
    assert len(told) >= 12
    for each in told:
        assert 40 < len(each["see"]) < 220
        size = sum(path.stat().st_size for path in (EXAMPLES / each["run"]).rglob("*.json*"))
        assert size < MOST_BYTES + 110_000 * (each["run"] == "first-look"), each["run"]


def test_the_first_run_of_a_kind_is_what_its_page_shows_at_first() -> None:
    first: dict[str, str] = {}
    for run in STORE.examples():
        first.setdefault(run.kind, run.id)
    assert all(run_id.startswith(f"{EXAMPLE}first-") for run_id in first.values())
