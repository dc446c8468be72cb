"""The Connectivity page as its reader meets it: what it submits, what it shows, and what it says when it cannot."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from pages.connectivity.setup import MEANING, PICTURES
from pages.shared.show.text import plain
from softmerge_core.events import WeightPath
from softmerge_core.experiments.connectivity.spec import EXAMPLE, ConnectivitySpec
from softmerge_core.runs import RunStore
from softmerge_core.runs.writer import RunWriter, conduct
from softmerge_core.settings import DataSpec, SourceSpec
from softmerge_core.zoo import families
from tests.pages.conftest import Desk, button, opened, press, started, texts

SMALL = "spirals-mlp-independent"
Open = Callable[..., AppTest]


@pytest.fixture
def open_connectivity(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Open the page, without a recorded run."""
    monkeypatch.setattr(RunStore, "examples", lambda self: [])

    def start(**state: object) -> AppTest:
        return opened("from pages.connectivity.page import page\npage()\n", **state)

    return start


def submitted(desk: Desk) -> ConnectivitySpec:
    (run,) = desk.store.list()
    spec = desk.store.read(run.id).spec
    assert isinstance(spec, ConnectivitySpec)
    return spec


def test_the_first_press_walks_between_networks_from_different_random_weights(
    open_connectivity: Open, desk: Desk
) -> None:
    page = open_connectivity()
    assert "No path has been walked yet" in page.get("progress")[0].proto.text
    press(page, "Start walking")
    spec = submitted(desk)
    assert [source.model for source in spec.sources] == [f"{EXAMPLE}/source-{number}" for number in (1, 2, 3)]
    assert (spec.overlays, spec.picture, spec.grid) == (("plain", "weights", "weights_repair"), "plane", 41)


def test_what_is_chosen_is_what_is_submitted(open_connectivity: Open, desk: Desk) -> None:
    page = open_connectivity(family=SMALL, **{"connectivity-overlays": ["scope", "plain"]})
    page.selectbox(key=f"connectivity-from-{SMALL}").set_value(f"{SMALL}/source-3")
    page.selectbox(key=f"connectivity-third-{SMALL}").set_value("")
    page.toggle(key="connectivity-starts").set_value(False)
    page.number_input(key="connectivity-grid").set_value(11)
    page.run()
    press(page, "Start walking")
    spec = submitted(desk)
    assert [source.model for source in spec.sources] == [f"{SMALL}/source-3", f"{SMALL}/source-2"]
    assert (spec.overlays, spec.starts, spec.grid) == (("plain", "scope"), False, 11)


@pytest.mark.parametrize("picture", PICTURES)
def test_every_picture_is_told_in_words_and_can_be_started(open_connectivity: Open, desk: Desk, picture: str) -> None:
    page = open_connectivity(family=SMALL, **{"connectivity-picture": picture})
    assert MEANING[picture] in texts(page)
    press(page, "Start walking")
    spec = submitted(desk)
    assert spec.picture == picture
    assert len(spec.sources) == (3 if picture == "plane" else 2)


def test_the_trunk_can_be_walked_to(open_connectivity: Open, desk: Desk) -> None:
    family = "spirals-mlp-shared-trunk"
    page = open_connectivity(family=family, **{f"connectivity-to-{family}": f"{family}/base"})
    press(page, "Start walking")
    assert submitted(desk).sources[1].model == f"{family}/base"


def test_one_model_twice_or_no_path_cannot_be_started(open_connectivity: Open) -> None:
    page = open_connectivity(family=SMALL, **{f"connectivity-to-{SMALL}": f"{SMALL}/source-1"})
    assert "no path from a model to itself" in page.error[0].value
    assert button(page, "Start walking").disabled
    page = open_connectivity(family=SMALL, **{"connectivity-overlays": []})
    assert "Choose one path or more" in page.error[0].value


@pytest.mark.parametrize("picture", PICTURES)
def test_a_finished_run_says_what_stands_between(open_connectivity: Open, desk: Desk, picture: str) -> None:
    sources = tuple(SourceSpec(model=f"{SMALL}/{model.name}") for model in families()[SMALL].models[:2])
    values = {"points": 5, "grid": 5, "samples": 50, "curve_steps": 20, "gate_steps": 10, "picture": picture}
    spec = ConnectivitySpec(sources=sources, data=DataSpec(dataset="spirals"), **values)  # type: ignore[arg-type]
    run_id = desk.store.create(spec)
    assert conduct(desk.store.folder(run_id)) == "finished"
    page = open_connectivity(**{"connectivity:run": run_id})
    said = texts(page)
    assert "the straight path rises" in said
    assert plain("From Source 1 (t = 0) to Source 2 (t = 1)") in said
    assert "On test data the plain average is" in said
    assert plain("From its random initial weights (seed 1) to Source 1") in said
    assert ("the curve's worst loss is" in said) == (picture != "random")
    assert ("Loss on 50 training samples" in said) == (picture != "bezier")
    assert ("The path lies in the plane" in said) == (picture == "plane")
    strip = next(str(element.value) for element in page.html if "sm-walk-cell" in str(element.value))
    assert strip.count("%</b>") == 4
    assert f"-{run_id}.json`" in said.partition("`python -m softmerge_core run connectivity-spec-")[2]


def test_a_live_run_says_what_is_not_known(open_connectivity: Open, desk: Desk) -> None:
    sources = tuple(SourceSpec(model=f"{SMALL}/{model.name}") for model in families()[SMALL].models[:2])
    run_id = started(
        desk.store.create(ConnectivitySpec(sources=sources, data=DataSpec(dataset="spirals"), picture="bezier"))
    )
    with RunWriter(desk.store.folder(run_id)) as writer:
        for number in (0, 1):
            writer.emit(WeightPath(step=0, series=f"start:{number}", note="not known where it began"))
        said = texts(open_connectivity())
    assert "Waiting for the first path" in said
    assert "Waiting for the curve's training" in said
    assert plain("Source 1: not known where it began.") in said
    assert plain("Source 2: not known where it began.") in said
