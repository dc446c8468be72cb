"""Links that were shared once still open: no name in an address, and no choice that it may hold, is ever taken back.

``links.json`` holds, by page, the names that addresses of an earlier version could set at first sight, each with its
choices, or with the kind of its widget where it has none. Names and choices may be added to it, never removed.
"""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.site import PAGES
from tests.pages.conftest import Desk, opened

KINDS = ("selectbox", "multiselect", "button_group", "slider", "select_slider", "number_input", "radio", "text_input",
         "checkbox", "toggle")  # fmt: skip
LINKS = json.loads((Path(__file__).parent / "links.json").read_text(encoding="utf-8"))


def bound(page: AppTest) -> dict[str, list[str] | str]:
    """What the address of a page can set, as in ``links.json``."""
    found: dict[str, list[str] | str] = {}
    for kind in KINDS:
        for widget in page.get(kind):
            proto = widget.proto  # type: ignore[attr-defined]
            if name := proto.query_param_key:
                options = [getattr(option, "content", option) for option in getattr(proto, "options", ())]
                found[name] = options or kind
    return found


def test_every_page_is_known_by_its_links() -> None:
    assert set(LINKS) <= set(PAGES)


@pytest.mark.parametrize("path", LINKS)
def test_what_links_could_set_they_still_can(path: str, desk: Desk) -> None:
    now = bound(opened(f"from pages.site import PAGES\nPAGES[{path!r}][0]()\n"))
    for name, choices in LINKS[path].items():
        assert name in now, f"the page {path!r} no longer knows {name!r} in its address"
        if isinstance(choices, list):
            gone = set(choices) - set(now[name])
            assert not gone, f"the page {path!r}: {name!r} in its address can no longer be {', '.join(sorted(gone))}"
        else:
            assert now[name] == choices, f"the page {path!r}: {name!r} is no longer a {choices}"
