"""The state of a page goes into its links, and what of a link was not understood is told in one notice."""

from urllib.parse import unquote_plus

import pytest
from streamlit.testing.v1 import AppTest

from pages.merge.moments import JUMP
from pages.shared.show.links import read
from tests.pages.conftest import Desk

EXAMPLE = "example:first-look"
COPY = """
from pages.shared.show import copy_link
from pages.shared.show.page_state import page_query
import streamlit as st
copy_link.copy_link = lambda: st.session_state.update(copied=page_query())
import pages.site
pages.site.copy_link = copy_link.copy_link
pages.site.main()
"""


def opened(query: str, script: str = COPY) -> AppTest:
    """The Merge page at an address with that query."""
    page = AppTest.from_string(script, default_timeout=60)
    for pair in filter(None, query.split("&")):
        name, _, text = pair.partition("=")
        page.query_params[name] = text
    page.run()
    assert not page.exception
    return page


def notices(page: AppTest) -> list[str]:
    """What is told of the address, as its reader sees it."""
    said = [str(warning.value).replace("\\", "").replace("\u2060", "") for warning in page.warning]
    return [text for text in said if "link" in text]


def copied(page: AppTest) -> str:
    link: str = page.session_state["copied"]
    return link


def test_a_link_holds_what_is_usual_and_what_is_not(desk: Desk) -> None:
    page = opened("penalty=0.25")
    asked = read(copied(page))
    assert (asked.state["penalty"], asked.state["run"]) == (["0.25"], [EXAMPLE])
    assert (asked.usual["steps"], asked.usual["normalise"], asked.usual["train_samples"]) == (["400"], ["true"], [""])
    assert "penalty" not in asked.usual
    assert notices(page) == []


def test_what_was_usual_when_a_link_was_made_stays_so(desk: Desk) -> None:
    page = opened("usual=steps=77;granularity=Layer;penalty=0.25&penalty=0.125&v=1")
    assert page.number_input(key="steps").value == 77
    assert page.session_state["granularity"] == "layer"
    assert page.number_input(key="penalty").value == 0.125, "what has a name of its own counts"
    assert notices(page) == []
    assert page.query_params["steps"] == "77"
    assert "usual" not in page.query_params, "else the next change of a widget to its usual value would be undone"


# links, and what is told of their parts: no more than four, for a notice tells no more
WRONG = {
    "penalty=much": ["penalty “much”"],
    "steps=-3&family=Gone&granularity=Galaxy&normalise=perhaps": [
        "steps “-3” (Steps of each stage can be at least",
        "family “Gone”",
        "granularity “Galaxy”",
        "normalise “perhaps”",
    ],
    "colour=blue&own-models=gone&own-data=gone.npz&run=20200101-000000-deadbeef": [
        "colour “blue” (not known here)",
        "own-models “gone” (not in the library)",
        "own-data “gone.npz” (no such data file here)",
        "run “20200101-000000-deadbeef” (",
    ],
    "steps=inf&pinned=example:first-attack&parts=nowhere=average&replay=1000000": [
        "steps “inf” (no number)",
        "(a run of another kind)",
        "parts “nowhere=average” (",
        "replay “1000000” (",
    ],
    "usual=colour=blue;steps=77&replay=²&pinned=20200101-000000-deadbeef": [
        "colour “blue” (not known here)",
        "replay “²” (",
        "pinned “20200101-000000-deadbeef” (",
    ],
    "v=2&steps=77": ["a version that is not known here (2; known: 1)"],
}


@pytest.mark.parametrize("query", WRONG)
def test_what_cannot_be_is_as_usual_and_told_once(query: str, desk: Desk) -> None:
    page = opened(query)
    (notice,) = notices(page)
    for named in WRONG[query]:
        assert notice.count(named) == 1, f"expected {named!r} once in {notice!r}"
    assert len(page.warning) == 1
    if "steps=77" not in query:
        assert page.number_input(key="steps").value == 400
    page.run()
    assert notices(page) == [notice], "it stays until the page is left"
    assert page.number_input(key="penalty").value == 0.002


def test_all_that_is_wrong_is_in_one_notice(desk: Desk) -> None:
    page = opened("penalty=much&colour=blue&run=20200101-000000-deadbeef&steps=77")
    (notice,) = notices(page)
    assert all(word in notice for word in ("penalty", "colour", "deadbeef"))
    assert page.number_input(key="steps").value == 77
    assert not {"colour", "penalty", "run"} & set(page.query_params)


def test_a_link_to_a_moment_of_the_film_and_a_pinned_run(desk: Desk) -> None:
    page = opened("replay=5&pinned=example:first-look")
    assert page.toggle(key="replay-on").value
    assert dict(page.session_state[JUMP]) == {"run": EXAMPLE, "count": 1, "place": 5}
    asked = read(copied(page))
    assert (asked.state["replay"], asked.state["pinned"]) == (["5"], [EXAMPLE])
    assert notices(page) == []


def test_a_link_is_the_same_when_it_is_opened_and_copied_again(desk: Desk) -> None:
    first = copied(opened("penalty=0.25&parts=hidden1=average&replay=5"))
    asked = read(first)
    assert asked.state["parts"] == ["hidden1=average"]
    assert read(copied(opened(unquote_plus(first)))).all == asked.all
