"""What the Merge page tells before a merge starts."""

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.merge import preflight
from pages.shared.choose.zoo_command import ROOT
from softmerge_core.errors import CheckpointError
from softmerge_core.zoo import add_to_library, families, load_source, own_families
from softmerge_core.zoo.fit import find_fit, known_fit
from tests.pages.conftest import Desk
from tests.pages.merge.test_page import SMALL, tables, texts

Open = Callable[..., AppTest]
MODELS = tuple(families()[SMALL].source(model) for model in families()[SMALL].models[:4])


def test_memory_time_and_fit_are_told_in_a_line_each(open_app: Open, desk: Desk) -> None:
    said = texts(open_app(family=SMALL))
    assert "Weights will take about" in said
    assert "It takes " in said
    assert "look as if they share an ancestor" in said
    assert known_fit(MODELS) is not None  # so that it is not computed again


def test_the_details_are_in_a_fold(open_app: Open, desk: Desk) -> None:
    assert "Largest |w|" not in tables(open_app(family=SMALL))
    shown = tables(open_app(**{"family": SMALL, "fit-fold": True}))
    for layer in families()[SMALL].layers:
        assert f"<td>{layer.name}</td>" in shown
    assert shown.count("Source 1 –") == 1 or "Source 1\u00a0–" in shown


def test_networks_that_were_trained_apart_are_said_to_look_so(open_app: Open, desk: Desk) -> None:
    assert "each started from weights of its own" in texts(open_app(family="spirals-mlp-independent"))


def test_extreme_values_are_named(open_app: Open, desk: Desk) -> None:
    assert "Extreme values in Source " in texts(open_app(family="mnist1d-cnn-poisoned-1"))


def test_nothing_is_told_of_what_cannot_be_started(open_app: Open, desk: Desk) -> None:
    page = open_app(family=SMALL)
    for model in MODELS[1:]:
        page.toggle(key=f"use:{model}").set_value(False)
    page.run()
    assert "ancestor" not in texts(page)


def test_large_files_are_compared_by_a_process_of_its_own(
    open_app: Open, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(preflight, "is_quick", lambda models: False)
    monkeypatch.setattr(preflight, "zoo_command", lambda *words, failure: asked.append(words) or find_fit(words[1:]))
    assert "look as if they share an ancestor" in texts(open_app(family=SMALL))
    open_app(family=SMALL)
    assert asked == [("compare", *MODELS)]


def test_while_they_are_compared_the_page_says_so(open_app: Open, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "is_quick", lambda models: False)
    monkeypatch.setattr(preflight, "PATIENCE", 0.01)
    waits: Future[None] = Future()
    monkeypatch.setattr(preflight, "_ASKED", {MODELS: waits})
    assert preflight.READING in texts(open_app(family=SMALL))
    find_fit(MODELS)
    waits.set_result(None)
    assert "look as if they share an ancestor" in texts(open_app(family=SMALL))


def test_what_cannot_be_compared_is_left_out(open_app: Open, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: str, failure: str) -> None:
        raise CheckpointError(failure)

    monkeypatch.setattr(preflight, "is_quick", lambda models: False)
    monkeypatch.setattr(preflight, "zoo_command", refuse)
    page = open_app(family=SMALL)
    assert "ancestor" not in texts(page)
    assert "Weights will take about" in texts(page)


def test_ones_own_networks_are_compared_too(open_app: Open, desk: Desk) -> None:
    for place in (0, 1):
        module = load_source_of(place)
        facts = {"network": "mlp", "dataset": "spirals", "input_shape": (2,), "classes": 3}
        add_to_library(f"own-{place}", module, origin="uploaded", how="Brought along.", **facts)  # type: ignore[arg-type]
    (family,) = own_families().values()
    assert "look as if they share an ancestor" in texts(open_app(family=family.name))


def load_source_of(place: int) -> Any:
    return load_source(families_spec(place)).module


def families_spec(place: int) -> Any:
    from softmerge_core.settings import SourceSpec

    return SourceSpec(model=MODELS[place])


def test_the_command_compares_and_loads_no_torch() -> None:
    code = (
        "import sys; from softmerge_core.__main__ import main; "
        f"code = main(['zoo', 'compare', *{list(MODELS)!r}]); "
        "print('torch' in sys.modules, file=sys.stderr); exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stderr.split()[-1] == "False"
    assert json.loads(done.stdout)["sentence"].startswith("The sources look as if they share an ancestor")
