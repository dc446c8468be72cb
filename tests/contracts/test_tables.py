"""The numbers of every page's pictures can be taken along as CSV that programs and spreadsheets read."""

import csv
import io
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest

from pages.shared.runs.page import RunPage
from pages.site import PAGES
from softmerge_core.experiments import experiment
from softmerge_core.experiments.tables import Table, as_csv
from softmerge_core.registry import discover
from softmerge_core.runs import RunStore, RunView
from tests.contracts.helpers import is_sentence
from tests.pages.conftest import Desk, file_buttons, opened

KINDS = [page.kind for page, *_ in PAGES.values() if isinstance(page, RunPage)]
SHIPPED = set(discover("softmerge_core.experiments", "EXPERIMENT"))  # tests may have added some of their own
TABULAR = [kind for kind in KINDS if experiment(kind).numbers]
OWN = {"merge": {"Gates"}, "compare": {"Table"}}  # made of the result, by the pages themselves
NUMBER = re.compile(r"-?(\d+\.?\d*)(?:e[-+]\d+)?|-?inf")
NAMES = re.compile(r"\bsource[ -](?:\d|[A-Z])\b")  # not as on the cards
UNITS = {"(%)", "(points)", "(nats)", "(MB)"}


@cache
def example(kind: str) -> RunView:
    """The shipped run of this kind."""
    store = RunStore(Path("none"))
    run_id = next(run.id for run in store.examples() if run.kind == kind)
    return store.read(run_id, 0)


def tables(kind: str, share: float = 1.0) -> list[Table]:
    """The tables of the shipped run, of the first part of its events."""
    view = example(kind)
    return experiment(kind).tables(view.spec, view.events[: round(share * len(view.events))])


def significant(number: str) -> int:
    digits = NUMBER.fullmatch(number)
    return len((digits[1] or "").replace(".", "").strip("0")) if digits else 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_offers_its_numbers(kind: str, home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.shared.runs import services

    monkeypatch.setattr(services, "_runner", lambda folder, scheduler: Desk(RunStore(home_folder / "runs")))
    page = opened(f"from pages.{kind}.page import page\npage()\n")
    expected = OWN.get(kind) or {table.title for table in tables(kind)}
    assert expected, f"experiment {kind!r} offers no numbers: give it a module with ``tables`` (Experiment.numbers)"
    assert expected | {"Spec"} <= file_buttons(page).keys()


@pytest.mark.parametrize("kind", TABULAR)
def test_tables_are_named_and_rounded(kind: str) -> None:
    found = tables(kind)
    assert len({table.name for table in found}) == len({table.title for table in found}) == len(found) >= 2
    for table in found:
        assert re.fullmatch("[a-z]+", table.name)
        assert is_sentence(table.about)
        head, *rows = csv.reader(io.StringIO(as_csv(table.head, table.rows)))
        assert len(set(head)) == len(head)
        assert {len(row) for row in rows} == {len(head)}
        cells = [cell for row in rows for cell in row]
        assert not [cell for cell in cells if NAMES.search(cell)]
        assert max(significant(cell) for cell in cells) <= 6
        units = [place for place, name in enumerate(head) if any(name.endswith(unit) for unit in UNITS)]
        assert all(NUMBER.fullmatch(row[place]) or not row[place] for row in rows for place in units)
        assert len({tuple(row) for row in rows}) == len(rows), "of what is measured twice only the last counts"


@pytest.mark.parametrize("kind", TABULAR)
@pytest.mark.parametrize("share", [0, 0.02, 0.3, 0.9])
def test_a_run_that_was_stopped_has_the_numbers_that_it_got_to(kind: str, share: float) -> None:
    whole = {table.name: table for table in tables(kind)}
    for table in tables(kind, share):
        assert 0 < len(table.rows) <= len(whole[table.name].rows)


@pytest.mark.parametrize("kind", TABULAR)
def test_what_a_resumed_run_repeats_is_there_once(kind: str) -> None:
    view = example(kind)
    again = experiment(kind).tables(view.spec, [*view.events, *view.events])
    assert [sorted(as_text(table.rows)) for table in again] == [sorted(as_text(table.rows)) for table in tables(kind)]


def as_text(rows: Sequence[Sequence[object]]) -> list[str]:
    return [repr(list(row)) for row in rows]


def test_every_kind_is_looked_at() -> None:
    assert set(KINDS) == SHIPPED - {"train"}
