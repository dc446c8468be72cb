"""A window that served another test shows its page as a new one would."""

from typing import Any

from tests.browser.server import visit
from tests.browser.windows import Windows

LEAVE = "() => { localStorage.kept = sessionStorage.kept = 'yes'; document.cookie = 'kept=yes'; window.kept = 'yes'; }"
KNOWN = """() => ({
  kept: [localStorage.kept, sessionStorage.kept, window.kept, document.cookie.match("kept")?.[0]].filter(Boolean),
  before: history.length - 1,
  dark: matchMedia("(prefers-color-scheme: dark)").matches,
  still: matchMedia("(prefers-reduced-motion: reduce)").matches,
  size: [innerWidth, innerHeight],
})"""


def test_a_window_forgets_its_reader(demo: str, windows: Windows) -> None:
    page = visit(windows.take(theme="dark"), f"{demo}/strip")
    fresh: Any = page.evaluate(KNOWN)
    page.evaluate(LEAVE)
    visit(page, f"{demo}/deep")
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 500, "height": 500})
    left = page.evaluate(KNOWN)
    assert len(left["kept"]) == 3  # what is kept of a page itself is gone with it
    assert left["still"]
    windows.give_back(page)
    again = visit(windows.take(), f"{demo}/strip")
    assert again is page
    assert again.evaluate(KNOWN) == {**fresh, "dark": False, "before": 1, "size": [1440, 900]}
    windows.give_back(again)
