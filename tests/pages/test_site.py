"""The site: every page has its own address, and each can be opened from any other."""

from streamlit.testing.v1 import AppTest

from pages.site import PAGES
from tests.pages.conftest import opened

SCRIPT = """
import streamlit as st
from pages.shared.show.site_map import page_at, register_pages
from pages.site import site_pages

pages = site_pages()
register_pages(pages)
assert [page_at(path) for path in pages] == list(pages.values())
st.text([(page.title, page.url_path) for page in pages.values()])
"""


def test_every_page_is_known_by_its_address() -> None:
    page: AppTest = opened(SCRIPT)
    shown = [(title, "" if place == 0 else path) for place, (path, (_, title, _)) in enumerate(PAGES.items())]
    assert page.text[0].value == str(shown)
