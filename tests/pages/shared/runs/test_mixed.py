"""Sources of two architectures: pages that cannot merge them lead to the one that can, with what was chosen."""

from urllib.parse import parse_qs

import pytest

from softmerge_core.zoo import families
from tests.experiments.library import trained
from tests.pages.conftest import Desk, opened

SMALL = "moons-mlp-label-noise"
SCRIPT = """
import streamlit as st
from pages.shared.show.site_map import register_pages
from pages.site import PAGES, site_pages
pages = site_pages()
register_pages(pages)
st.navigation(list(pages.values()))
PAGES[{name!r}][0]()
"""
TAKES_PART = {  # page -> what lets the source of another architecture take part, beside its being chosen
    "merge": {},
    "robustness": {},
    "connectivity": {f"connectivity-from-{SMALL}": "library/wide"},
}


@pytest.mark.parametrize("name", TAKES_PART)
def test_a_page_that_cannot_merge_them_links_to_the_one_that_can(name: str, desk: Desk) -> None:
    trained("wide", 0, network="mlp_wide")
    page = opened(SCRIPT.format(name=name), family=SMALL, **{"own-models": ["wide"], **TAKES_PART[name]})
    assert any("Weights of different architectures cannot be averaged" in str(error.value) for error in page.error)
    (link,) = page.get("page_link")
    assert link.proto.page == "compare"  # type: ignore[attr-defined]
    assert parse_qs(link.proto.query_string) == {"family": [families()[SMALL].title]}  # type: ignore[attr-defined]
    assert page.session_state["own-models"] == ["wide"]


@pytest.mark.parametrize("name", ["merge", "compare"])
def test_no_page_links_there_without_need(name: str, desk: Desk) -> None:
    assert not opened(SCRIPT.format(name=name), family=SMALL).get("page_link")
