"""Pages run in this process, on the test's own home, with a runner that has no workers."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from pages.shared.runs import services
from pages.shared.runs.record import CANNOT
from softmerge_core.experiments import Spec, experiment
from softmerge_core.runs import RunStore
from tests.browser.every_widget import data_of

ROOT = Path(__file__).resolve().parents[2]
READER = "reader"  # who opens pages, unless ``state`` names another visitor
APP = "from pages.site import main\nmain()\n"

# Each AppTest asks all installed packages whether they have components, which took two thirds of its time. They are
# the same for as long as the tests run.
manifest_scanner.scan_component_manifests = cache(manifest_scanner.scan_component_manifests)


class Desk:
    """What a runner is to a page: it checks specs, makes runs and takes requests, but nobody works on them."""

    def __init__(self, store: RunStore) -> None:
        self.store = store
        self.requests: list[tuple[str, str]] = []
        self.changes: list[dict[str, Any]] = []  # with which a run was to go on
        self.found: tuple[str, ...] = ()
        self.accuracy: float | None = None  # of whatever is spoiled
        self.asked: list[Any] = []
        self.ahead: dict[str, int] = {}  # of a waiting run: how many are before it

    def devices(self) -> tuple[str, ...]:
        return self.found

    def compute(self, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        self.asked.append((work, *arguments))
        answer: Future[Any] = Future()
        answer.set_result(self.accuracy)
        return answer

    def ready(self) -> bool:
        return True

    def submit(self, spec: Spec, *, owner: str = "") -> str:
        experiment(spec.kind).check(spec)
        return self.store.create(spec)

    def pause(self, run_id: str) -> None:
        self.requests.append(("pause", run_id))

    def before(self, run_id: str) -> int | None:
        return self.ahead.get(run_id)

    def resume(self, run_id: str, *, owner: str = "", change: Mapping[str, Any] | None = None) -> None:
        self.requests.append(("resume", run_id))
        self.changes.append(dict(change or {}))

    def stop(self, run_id: str) -> None:
        self.requests.append(("stop", run_id))


@pytest.fixture
def desk(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(RunStore(home_folder / "runs"))
    monkeypatch.setattr(services, "_runner", lambda folder, scheduler: made)
    return made


@pytest.fixture
def open_app(desk: Desk) -> Callable[..., AppTest]:
    """Open the app, with ``state`` as an earlier visit may have left it; an exception in the page fails the test."""

    def start(**state: object) -> AppTest:
        return opened(APP, **state)

    return start


def started(run_id: str) -> str:
    """Let the run be one that the reader of ``opened`` has started; returns its id."""
    services._STARTED[run_id] = READER
    return run_id


def opened(script: str, **state: object) -> AppTest:
    """Run a page, with ``state`` as an earlier visit may have left it; an exception in the page fails the test."""
    page = AppTest.from_string(script, default_timeout=60)
    page.session_state["visitor"] = READER
    for name, value in state.items():
        page.session_state[name] = value
    page.run()
    assert not page.exception
    assert CANNOT not in texts(page)
    return page


def button(page: AppTest, label: str) -> Any:
    """The first button of this label."""
    return next(found for found in page.button if found.label == label)


def press(page: AppTest, label: str) -> AppTest:
    """Press that button and run the page; an exception in it fails the test."""
    button(page, label).click()
    page.run()
    assert not page.exception
    return page


def texts(page: AppTest) -> str:
    """What the page says in running text, errors and warnings."""
    kinds = (page.markdown, page.caption, page.error, page.warning)
    return "\n".join(str(element.value) for kind in kinds for element in kind)


def file_buttons(page: AppTest) -> dict[str, dict[str, Any]]:
    """What every button that saves a file is handed, by its label."""
    found = [data_of(each.proto) for each in page.get("bidi_component")]  # type: ignore[attr-defined]
    return {data["label"]: data for data in found if "pictures" in data}
