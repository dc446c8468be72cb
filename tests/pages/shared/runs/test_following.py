"""The pace at which a live run is read."""

import math
from typing import Any

import pytest

from pages.shared.runs import following
from pages.shared.runs.following import NEWS, PACES, pace
from pages.shared.runs.reader import RunReader
from softmerge_core.events import Progress
from softmerge_core.experiments.merge.spec import example
from softmerge_core.runs import RunView
from softmerge_core.runs.status import Status


class Store:
    """A store with one run, of which it tells what it is told to tell."""

    status: Status = "running"
    seconds = 0.0

    def read(self, run_id: str, after: int = 0) -> RunView:
        """The run, each time with one event more."""
        events = (Progress(step=1, total=2, seconds=self.seconds),) if self.status != "waiting" else ()
        return RunView(run_id, example(), self.status, events, after + 1, None, None)


@pytest.fixture
def store() -> Store:
    return Store()


def read(store: Any) -> RunReader:
    return RunReader(store, "one")


def test_the_longer_a_run_has_gone_the_rarer_it_is_read_but_never_rarer_than_a_share_of_it(store: Store) -> None:
    reader, paces = read(store), []
    for seconds in (0.0, 1.0, 5.0, 12.0, 13.0, 26.0, 60.0, 1e4, 1e300, math.inf):
        store.seconds = seconds
        reader.poll()
        paces.append(pace(reader))
        assert paces[-1] <= max(PACES[0], seconds / NEWS)
    assert paces == sorted(paces)
    assert set(paces) == set(PACES)


def test_what_was_asked_for_is_awaited_at_the_quickest_pace(store: Store) -> None:
    store.seconds = 1e4
    reader = read(store)
    assert pace(reader) == PACES[-1]
    reader.awaited = True
    reader.poll()
    assert pace(reader) == PACES[0]
    store.status = "paused"
    reader.poll()
    assert pace(reader) == PACES[-1]


def test_a_run_that_waits_is_asked_after_the_rarer_the_longer_it_waits(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.status = "waiting"
    reader = read(store)
    assert pace(reader) == PACES[0]
    now = reader._opened
    monkeypatch.setattr("pages.shared.runs.reader.time.monotonic", lambda: now + 1000)
    assert pace(reader) == PACES[-1]
    store.status = "running"
    reader.poll()
    assert pace(reader) == PACES[0]


def test_a_session_lets_go_of_the_runs_that_it_has_left_and_keeps_the_one_it_looks_at(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, left = RunReader(store, "one"), RunReader(store, "two")  # type: ignore[arg-type]
    state = {"merge:reader": shown, "scope:reader": left, "merge:run": "one", "scope:run": "two"}
    monkeypatch.setattr(following.st, "session_state", state)
    following.show_and_let_go(lambda: [reader.poll() for reader in (shown, left)])  # type: ignore[arg-type, return-value]
    assert len(state) == 4
    for look in (shown.poll, lambda: shown.once("words", lambda: "drawn")):
        following.show_and_let_go(look)
        assert state == {"merge:reader": shown, "merge:run": "one", "scope:run": "two"}


def test_a_page_that_is_not_drawn_to_its_end_lets_go_of_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    state = {"merge:reader": RunReader(store, "one")}  # type: ignore[arg-type]
    monkeypatch.setattr(following.st, "session_state", state)

    def show() -> None:
        raise RuntimeError("drawn again from the beginning")

    with pytest.raises(RuntimeError):
        following.show_and_let_go(show)
    assert len(state) == 1
