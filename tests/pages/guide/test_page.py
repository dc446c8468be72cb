"""The guide tells of every page and of every picture by the title that stands over it."""

import importlib
import pkgutil

from streamlit.testing.v1 import AppTest

from pages.guide.page import answers
from pages.shared.runs.picture import Picture
from pages.shared.show.terms import TERMS
from pages.site import MENUS, PAGES

# drawn by the pages of sweeps, runs and models themselves, where titles follow what varies
BY_HAND = {"Over one setting", "Over two settings", "Points", "Accuracy for gates", "Accuracy", "Gates", "Training"}
BY_HAND |= {"Samples"}


def declared(page: str) -> set[str]:
    """The titles of all pictures that the modules of a page declare."""
    package = importlib.import_module(f"pages.{page}")
    modules = [
        importlib.import_module(found.name) for found in pkgutil.walk_packages(package.__path__, f"pages.{page}.")
    ]
    values = [value for module in modules for value in vars(module).values()]
    groups = [list(value.values()) if isinstance(value, dict) else value for value in values]
    flat = [one for group in groups for one in (group if isinstance(group, list | tuple) else [group])]
    return {one.title for one in flat if isinstance(one, Picture)}


def test_every_page_that_is_no_lesson_has_its_question() -> None:
    learning = {path for paths in MENUS.values() for path in paths}
    assert [answer.page for answer in answers()] == [path for path in PAGES if path not in learning]


def test_every_picture_is_explained_by_its_title() -> None:
    for answer in answers():
        titles = declared(answer.page)
        assert titles - set(answer.pictures) == set(), f"the guide does not explain pictures of {answer.page!r}"
        assert set(answer.pictures) - titles <= BY_HAND, f"the guide explains what {answer.page!r} does not draw"


def test_every_page_and_word_is_there() -> None:
    script = "from pages.guide.page import answers, page\nfrom pages.shared.show.site_map import register_pages\n"
    script += "import streamlit as st\nfrom pages.site import site_pages\nregister_pages(site_pages())\npage()\n"
    shown = AppTest.from_string(script, default_timeout=60).run()
    assert not shown.exception
    assert [header.value for header in shown.subheader] == [answer.asks for answer in answers()]
    written = "\n".join(block.value for block in shown.markdown)
    assert all(f"**{name}**: {text}" in written for name, text in TERMS.items())
