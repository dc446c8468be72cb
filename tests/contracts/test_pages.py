"""Every member of a registry is to be found on the pages where a reader would look for it."""

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.shared.runs import services
from pages.shared.runs.page import RunPage
from pages.shared.runs.reader import RunReader
from pages.shared.runs.record import CANNOT
from pages.site import PAGES
from softmerge_core.attacks import attacks
from softmerge_core.data import datasets
from softmerge_core.data.forms import forms
from softmerge_core.experiments import experiment
from softmerge_core.federated.algorithms import algorithms
from softmerge_core.methods import available_methods
from softmerge_core.networks import fits, network_names
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import conduct
from tests.pages.conftest import Desk, opened

METHODS = {name: method.title for name, method in available_methods().items()}
SIGHTED = {name: METHODS[name] for name, method in available_methods().items() if "base" not in method.needs}
ATTACKS = {name: attack.title for name, attack in attacks().items()}
DATASETS = {name: dataset.title for name, dataset in datasets().items()}
FORMS = {name: form.title for name, form in forms().items()}
ALGORITHMS = {name: algorithm.title for name, algorithm in algorithms().items()}
# page (and its task) -> the members it offers: their kind, and their names with the words they go by
OFFERED: dict[str, dict[str, dict[str, str]]] = {
    "merge": {"attack": ATTACKS},
    "compare": {"method": METHODS},
    "robustness": {"attack": ATTACKS, "method": SIGHTED},
    "scope": {"data set": DATASETS},
    "federated": {"data set": DATASETS, "algorithm": ALGORITHMS, "attack": ATTACKS},
    "models, Train": {"data set": DATASETS},
    "models, Poison": {"attack": ATTACKS},
    "models, Bring in": {"form of data": FORMS, "data set": DATASETS},
}


def options(page: AppTest) -> list[set[str]]:
    """The choices of every widget of a page, as the reader sees them."""
    widgets = [*page.selectbox, *page.multiselect, *page.button_group]
    return [set(map(str, widget.options)) for widget in widgets]


@cache
def untouched(name: str, task: str = "") -> AppTest:
    """A page as it is opened, which several tests look at and none of them touches."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "_runner", lambda *_: Desk(RunStore(Path(folder) / "runs")))
        return opened(f"from pages.{name}.page import page\npage()\n", **({"do": task} if task else {}))


@pytest.mark.parametrize("name", OFFERED)
def test_a_page_offers_every_member(name: str) -> None:
    folder, _, task = name.partition(", ")
    found = options(untouched(folder, task))
    for what, members in OFFERED[name].items():
        offered = max(found, key=lambda choices: len(choices & set(members.values())))
        missing = [member for member, title in members.items() if title not in offered]
        assert not missing, f"the page {name!r} does not offer the {what} {', '.join(missing)}"


@pytest.fixture
def desk(home_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(RunStore(home_folder / "runs"))
    monkeypatch.setattr(services, "_runner", lambda folder, scheduler: made)
    return made


def problems(path: str, **state: object) -> str:
    """What a page says went wrong when it is drawn, with ``state`` as an earlier visit may have left it; or ""."""
    page = AppTest.from_string(f"from pages.site import PAGES\nPAGES[{path!r}][0]()\n", default_timeout=60)
    for name, value in state.items():
        page.session_state[name] = value
    st.config.set_option("client.showErrorDetails", "full")  # else the message of an exception is left out
    page.run()
    cannot = [found for found in (*page.warning, *page.markdown, *page.caption) if CANNOT in str(found.value)]
    return "; ".join(str(found.value) for found in (*page.exception, *page.error, *cannot))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens(path: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RunStore, "examples", lambda self: [])
    wrong = problems(path)
    assert not wrong, f"the page {path!r} cannot be drawn before its first run: {wrong}"


@pytest.mark.parametrize("path", [path for path, (page, *_) in PAGES.items() if isinstance(page, RunPage)])
def test_a_page_shows_a_finished_run(path: str, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: dict[str, tuple[set[str], bool]] = {}  # by picture: the events it waits for, and whether it is there
    usual = RunReader.drawn

    def watched(self: RunReader, name: str, kinds: Sequence[str], *more: Any, **options: Any) -> Any:
        figure = usual(self, name, kinds, *more, **options)
        drawn[name] = (set(kinds), figure is not None)
        return figure

    monkeypatch.setattr(RunReader, "drawn", watched)
    kind = PAGES[path][0].kind
    run_id = desk.store.create(experiment(kind).small())
    ended = conduct(desk.store.folder(run_id))
    assert ended == "finished", f"experiment {kind!r}: its small run {ended}: {desk.store.read(run_id).error}"
    wrong = problems(path, **{f"{kind}:run": run_id})
    assert not wrong, f"the page {path!r} cannot draw a finished run: {wrong}"
    reader = RunReader(desk.store, run_id)
    assert not reader.damaged, f"experiment {kind!r}: {reader.damaged} of its events are left out when they are read"
    assert any(there for _, there in drawn.values()), f"the page {path!r} has no picture of a finished run"
    told = {event.kind for event in reader.events}
    deaf = [name for name, (kinds, there) in drawn.items() if there and kinds and not kinds & told]
    assert not deaf, f"the page {path!r}: {deaf} are of none of the kinds of events that come ({', '.join(told)})"


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_data_set_is_offered_the_networks_that_can_take_it(dataset: str) -> None:
    from pages.shared.choose.network import fitting

    found = datasets()[dataset]
    expected = [network for network in network_names() if fits(network, found.input_shape, found.classes)]
    assert fitting(dataset) == expected, f"data set {dataset!r}: pages offer {fitting(dataset)}, not {expected}"


@pytest.mark.parametrize("name", PAGES)
def test_every_control_is_explained_in_a_sentence(name: str) -> None:
    found = controls(untouched(name))
    assert len(found) > 5 or not isinstance(PAGES[name][0], RunPage)
    assert [element.proto.label for element in found if not element.proto.help] == []


def controls(page: AppTest) -> list[Any]:
    """Every widget of a page that can be used and whose message to the browser has room for an explanation."""
    found, blocks = [], [page._tree]
    while blocks:
        for child in blocks.pop().children.values():
            if getattr(child, "children", None):
                blocks.append(child)
            elif getattr(getattr(child, "proto", None), "id", "") and hasattr(child.proto, "help"):
                found.append(child)
    return found
