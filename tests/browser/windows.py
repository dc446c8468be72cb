"""Windows of the browser that serve one test after the other: each is a reader nobody knows, but need not be made anew.

A new window fetches and compiles all scripts again, which takes the browser longer than to draw a page with them.
"""

from contextlib import ExitStack
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Browser, Page

from tests.browser.server import PATIENCE

KEPT = 2  # windows of a size that stay open while nobody uses them
FORGET = "() => { localStorage.clear(); sessionStorage.clear(); }"


class Windows:
    """The windows of a browser. As a context manager it closes those that it has opened."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._free: dict[bool, list[Page]] = {False: [], True: []}
        self._opened = ExitStack()

    def __enter__(self) -> "Windows":
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def take(self, *, theme: Any = "light", narrow: bool = False) -> Page:
        """A window without cookies, storage or history: 1440x900 or, for a finger, (``narrow``) 390x844 px."""
        page = self._free[narrow].pop() if self._free[narrow] else self._new(narrow)
        page.set_viewport_size({"width": 390, "height": 844} if narrow else {"width": 1440, "height": 900})
        page.emulate_media(color_scheme=theme, reduced_motion="no-preference")
        return page

    def give_back(self, page: Page, *, narrow: bool = False) -> None:
        """Leave the page that the window shows, and forget what the browser keeps of it."""
        if len(self._free[narrow]) == KEPT:
            return page.context.close()
        page.mouse.move(0, 0)
        page.goto(urljoin(page.url, "/_stcore/health"))  # of the same server, so that the scripts stay compiled
        page.evaluate(FORGET)
        page.context.clear_cookies()
        page.context.clear_permissions()
        session = page.context.new_cdp_session(page)
        session.send("Page.resetNavigationHistory")
        session.detach()
        return self._free[narrow].append(page)

    def _new(self, narrow: bool) -> Page:
        context = self._opened.enter_context(self._browser.new_context(has_touch=narrow))
        context.set_default_timeout(1000 * PATIENCE)
        return context.new_page()
