"""State -> link -> state, and links of other versions or of none."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pages.shared.show.links import VERSION, query_of, read, told

letters = st.characters(exclude_categories=["Cs"])
names = st.text(letters, min_size=1, max_size=12).filter(lambda name: name not in ("v", "usual"))
states = st.dictionaries(names, st.lists(st.text(letters, max_size=12), min_size=1, max_size=3), max_size=5)


@settings(max_examples=40)
@given(states, states)
def test_what_a_link_is_made_of_comes_out_of_it(state: dict[str, list[str]], usual: dict[str, list[str]]) -> None:
    asked = read(query_of(state, usual))
    assert (asked.state, asked.usual, asked.newer) == (state, usual, False)
    assert asked.all == {**usual, **state}


@given(st.text(letters, max_size=60), st.text(letters, max_size=12))
def test_whatever_an_address_holds_is_read(query: str, packed: str) -> None:
    for asked in (read(query), read(f"usual={packed}&v={packed}")):
        assert all(texts for texts in asked.all.values())


def test_a_link_can_be_read_by_its_reader() -> None:
    query = query_of({"penalty": ["0.01"], "methods": ["Plain average", "TIES"]}, {"use:a/b-1": ["true"], "note": [""]})
    assert query == "penalty=0.01&methods=Plain+average&methods=TIES&usual=use:a/b-1=true;note=&v=1"
    assert urlsplit(f"http://here/?{query}").query == query
    assert parse_qs(query)["penalty"] == ["0.01"]


def test_an_address_without_a_version_is_one_of_the_first() -> None:
    asked = read("family=Spirals&use:x=false&note=")
    assert (asked.state, asked.usual) == ({"family": ["Spirals"], "use:x": ["false"], "note": [""]}, {})
    assert not asked.newer


@pytest.mark.parametrize(("version", "newer"), [("1", False), (str(VERSION + 1), True), ("", True), ("²", True)])
def test_a_version_that_is_not_known_is_told(version: str, newer: bool) -> None:
    asked = read(f"v={version}&penalty=1")
    assert asked.newer is newer
    assert asked.state == {"penalty": ["1"]}


def test_what_was_not_understood_is_named_and_the_rest_counted() -> None:
    assert told([]) == ""
    missed = [("penalty", "x", ""), ("steps", "0", "at least 1"), *((f"n{n}", "1", "not known here") for n in range(4))]
    assert told(missed, most=3) == (
        "Not all of this link was understood. What is here as usual instead: penalty “x”; steps “0” (at least 1); "
        "n0 “1” (not known here); and 3 more."
    )
    assert told([], "7") == f"This link is of a version that is not known here (7; known: {VERSION})."
