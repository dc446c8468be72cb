"""A link that was copied shows in another browser what it was copied from: every widget of every page."""

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from streamlit.proto.WidgetStates_pb2 import WidgetState

from pages.shared.show.copy_link import KEY
from pages.shared.show.links import read
from pages.site import PAGES
from softmerge_core.runs.store import EXAMPLES
from tests.browser.conftest import Site
from tests.browser.every_widget import Listener, Widgets, change_all, data_of, key_of, of_pages, shown
from tests.browser.server import visit
from tests.browser.visitor import Visitor
from tests.browser.windows import Windows

CHOICES = ("surgery-layer", "surgery-part:", "surgery-source", "surgery-keep")  # of gates to be forced
# What stays out of links: the reader's secrets, places on a machine, and what is typed to be done, but not done yet.
LEFT_OUT = ("runs-token", "bring-place", "own-folder", "why-part")
UNSAVED = ("runs-name:", "runs-tags:", "branch:", "change:", *CHOICES)
VIEWS = [(path, "") for path in PAGES] + [("models", f"do={task}") for task in ("Train", "Poison", "Bring+in")]
LONGEST = 2000  # letters of an address that every program takes


def held(widgets: Widgets) -> dict[str, object]:
    """What every widget shows that belongs to the state of the page, by its key."""
    every = of_pages(widgets)
    keys = [key for key in every if key not in LEFT_OUT and not key.startswith(UNSAVED)]
    return {key: shown(*every[key][1:]) for key in keys}


def copied(visitor: Visitor, page: str, address: str, states: list[WidgetState]) -> str:
    """The query of the link that a press of the button copies."""
    name = next(name for name in visitor.widgets if key_of(name) == KEY)
    visitor.open(page, address, [*states, WidgetState(id=name, json_value='{"asked": 1}')])
    return str(data_of(next(each for name, (_, each) in visitor.widgets.items() if key_of(name) == KEY))["query"])


@pytest.fixture(scope="module")
def two_runs(servers: tuple[object, object, object]) -> Iterator[None]:
    """Two runs that ended, to be chosen in the list."""
    places = [servers[2] / "runs" / f"20260101-00000{number}-0000000{number}" for number in (1, 2)]  # type: ignore[operator]
    for place in places:
        shutil.copytree(EXAMPLES / "first-look", place)
    yield
    for place in places:
        shutil.rmtree(place)


@pytest.mark.parametrize(("page", "task"), VIEWS)
def test_a_link_shows_what_it_was_copied_from(
    page: str, task: str, site: Site, windows: Windows, two_runs: None
) -> None:
    path = "" if page == next(iter(PAGES)) else page
    with Visitor(site.address) as visitor:
        first, states = change_all(visitor, path, task, kept=("do", *LEFT_OUT))
        usual = held(visitor.widgets)
        link = copied(visitor, path, task, states)
        assert not visitor.errors
    wanted = {key: first[key] for key in usual}
    same = {key: value for key, value in wanted.items() if value == usual[key]}
    assert len(link) < LONGEST
    opened = windows.take()
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    with Listener(opened) as listener:
        visit(opened, f"{site.address}/{path}?{link}")
        found = held(listener.widgets)
    opened.get_by_role("button", name="Copy link").click()
    expect(opened.get_by_role("button", name="Copied")).to_be_visible()
    again = str(opened.evaluate("navigator.clipboard.readText()"))
    missed = opened.get_by_text("was understood").all_inner_texts()
    windows.give_back(opened)
    differ = {
        key: (value, found.get(key, "no such widget")) for key, value in wanted.items() if found.get(key) != value
    }
    assert not differ, f"the page {page!r} in a fresh browser: (copied, shown) is {differ}"
    assert not missed
    assert again.startswith(f"{site.address}/{path}?")
    assert read(again.partition("?")[2]).all == read(link).all
    assert len(same) < len(wanted) / 2, f"nothing else could be chosen of {same}"
