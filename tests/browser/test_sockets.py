"""The app as programs may talk to it: thirty visitors at once, any address, any value of any widget."""

import json
import math
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from streamlit.proto.NumberInput_pb2 import NumberInput
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.site import PAGES
from tests.browser.server import ROOT, Server
from tests.browser.visitor import Visitor

NOWHERE = "tcp://192.0.2.1:8786"  # a scheduler that is refused: no workers are started, and nothing is ever run
FEW = settings(  # each opens whole pages, and would be opened again and again to make a failure smaller
    max_examples=20 if settings().max_examples == 100 else settings().max_examples, phases=[Phase.generate]
)
MANY = 50  # values that an address or a request holds at least: over all pages a thousand and more
OWN = {  # by the type of an element, the field in which the browser sends its value
    "button": "trigger_value", "download_button": "trigger_value", "checkbox": "bool_value",
    "number_input": "double_value", "slider": "double_array_value", "selectbox": "string_value",
    "text_input": "string_value", "text_area": "string_value", "button_group": "string_array_value",
    "multiselect": "string_array_value", "bidi_component": "json_value", "file_uploader": "file_uploader_state_value",
    "dataframe": "string_value",
}  # fmt: skip
numbers = (
    st.sampled_from(
        [0.0, 1.0, -1.0, 0.5, 3.0, 1e9, -1e300, 1e308, math.inf, -math.inf, math.nan, 2.0**63, 1e-320, -0.0]
    )
    | st.floats()
)
finite = numbers.filter(math.isfinite)  # of others Streamlit itself makes an error of that one session, before any page
words = st.sampled_from(
    [
        "",
        "0",
        "1",
        "true",
        "-1",
        "1e999",
        "NaN",
        "null",
        "[]",
        "library/x",
        "../..",
        "example:first-look",
        "x" * 5000,
        "<script>",
        "\u202e",
        "😀",
        "a,b",
        "²",
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
junk = st.sampled_from(  # valid JSON: with other text Streamlit itself ends that one session, before any page
    [
        "null",
        "[]",
        "0",
        '"x"',
        "{}",
        '{"value": 3}',
        '{"choices": 3}',
        '{"choices": {"count": "x"}}',
        '{"choices": {"count": 9, "choices": [1]}}',
        '{"click": 3}',
        '{"click": {"count": 1}}',
        '{"click": {"x": {}}}',
        '{"choices": {"count": 9, "choices": {"conv1": {"a": 1}}}}',
        '{"choices": {"count": NaN}}',
        "[" * 500 + "]" * 500,
    ]
)


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server without workers, and its log, in which no test may leave a traceback."""
    home = tmp_path_factory.mktemp("socket-home")
    with Server(ROOT / "app.py", home, DASK_SCHEDULER_ADDRESS=NOWHERE) as server:
        yield server.address, home / "server.log"


def check(visitor: Visitor, log: Path, since: int = 0) -> None:
    """Nothing that this visitor saw, and nothing in the log from byte ``since`` on, is an error nobody had in mind."""
    text = log.read_bytes()[since:].decode(errors="replace")
    assert visitor.errors == [], text[-6000:]
    assert "Traceback" not in text, text[-6000:]


def test_thirty_visitors_at_once_see_no_error(app: tuple[str, Path]) -> None:
    address, log = app
    gate, seen = threading.Barrier(30), []

    def visit() -> None:
        with Visitor(address) as visitor:
            gate.wait()
            seen.append(visitor.open())

    threads = [threading.Thread(target=visit) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [visitor.title for visitor in seen] == ["Merge · Soft Merge"] * 30
    for visitor in seen:
        check(visitor, log)


@pytest.fixture(scope="module")
def keys(app: tuple[str, Path]) -> list[str]:
    """The names of all parameters that an address may have."""
    found = {"run", "embed", "page"}
    with Visitor(app[0]) as visitor:
        for page in PAGES:
            visitor.open(page)
            found |= {str(element.query_param_key) for _, element in visitor.widgets.values() if _bound(element)}
    assert len(found) > 30
    return sorted(found)


def _bound(element: Any) -> bool:
    return bool(getattr(element, "query_param_key", ""))


@FEW
@given(page=st.sampled_from([*PAGES, "", "nowhere", "../x"]), data=st.data())
def test_any_address_opens_a_page(app: tuple[str, Path], keys: list[str], page: str, data: st.DataObject) -> None:
    value = words | numbers.map(str) | st.integers().map(str)
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(keys) | words, value), min_size=MANY, max_size=2 * MANY))
    query = "&".join(f"{quote_plus(key)}={quote(text)}" for key, text in pairs)
    since = app[1].stat().st_size
    with Visitor(app[0]) as visitor:
        check(visitor.open(page, query), app[1], since)


@FEW
@given(page=st.sampled_from([*PAGES]), data=st.data())
def test_any_value_of_any_widget(app: tuple[str, Path], page: str, data: st.DataObject) -> None:
    since = app[1].stat().st_size
    with Visitor(app[0]) as visitor:
        visitor.open(page)
        states: dict[str, WidgetState] = {}
        for _ in range(data.draw(st.integers(1, 3))):
            known = sorted(visitor.widgets, key=named)
            for key in data.draw(st.lists(st.sampled_from(known), min_size=MANY, max_size=2 * MANY)):
                states[key] = data.draw(values(key, *visitor.widgets[key]))
            check(visitor.open(page, states=list(states.values())), app[1], since)
            states = {key: state for key, state in states.items() if not state.trigger_value}


def named(identity: str) -> str:
    """The key of a widget, without the hash before it, which is another in every folder of the project."""
    return identity.split("-", 2)[-1]


@st.composite
def values(draw: st.DrawFn, key: str, kind: str, element: Any) -> WidgetState:
    """Any value for a widget, in the field that is its own."""
    state, field = WidgetState(id=key), OWN[kind]
    options = [*getattr(element, "options", ())]
    texts = (
        st.sampled_from([str(getattr(option, "content", option)) for option in options]) | words if options else words
    )
    if field == "trigger_value":
        state.trigger_value = True
    elif field == "bool_value":
        state.bool_value = draw(st.booleans())
    elif field == "double_value":
        state.double_value = draw(finite if element.data_type == NumberInput.INT else numbers)
    elif field == "double_array_value":
        state.double_array_value.data.extend(draw(st.lists(finite, min_size=1, max_size=3)))
    elif kind == "dataframe":  # of what is no selection Streamlit itself makes an error of that one session
        rows = draw(st.lists(st.integers(-3, 2**40), max_size=5))
        state.string_value = json.dumps({"selection": {"rows": rows, "columns": [], "cells": []}})
    elif field == "string_value":
        state.string_value = draw(texts)
    elif field == "string_array_value":
        state.string_array_value.data.extend(draw(st.lists(texts, max_size=4)))
    elif field == "json_value":
        state.json_value = draw(junk)
    else:
        state.file_uploader_state_value.SetInParent()
    return state
