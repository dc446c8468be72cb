"""Addresses as people type them: the start page by its name, capitals, a slash at the end, another usual word."""

import re
from collections.abc import Callable, Collection, Mapping

import streamlit as st
from starlette.middleware import Middleware
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


def own_address(path: str) -> str:
    """The address of what the server hands out itself, such as ``app/film``: below the one that its pages have."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}/{path}".replace("//", "/")


def page_path(path: str, pages: Collection[str], also: Mapping[str, str]) -> str | None:
    """Return the path of the page that ``path`` means where that is written otherwise; None: it stays as it is.

    ``pages``: the paths of all pages without a slash, the start page, whose own path is empty, first; ``also``: other
    words for them. Both paths are below the server's base, and begin with a slash.
    """
    word = path.strip("/").lower().replace("_", "-").replace(" ", "-").removesuffix(".html")
    name = also.get(word, word)
    if name not in pages:
        return None
    own = "/" if name == next(iter(pages)) else f"/{name}"
    return None if own == path else own


# in the query of a link shared earlier: "Source 2, 20% label noise (95.7 %)", which has a space before the sign now
_SPACE = r"(?:\+|%20)"
_NOISE = re.compile(f"(Source{_SPACE}[0-9](?:%2C|,){_SPACE}[0-9]+)%25(?={_SPACE}label{_SPACE}noise{_SPACE}(?:%28|\\())")


def renamed(query: str) -> str:
    """Return the query of an address with the names that networks of the app have today."""
    return _NOISE.sub(r"\1+%25", query)


Site = Callable[[], tuple[Collection[str], Mapping[str, str]]]  # (pages, also) as in page_path, once they are known


def typed_addresses(site: Site) -> Middleware:
    """Return what leads such addresses to the pages' own, for ``st.App(middleware=[...])``."""
    return Middleware(_Typed, site=site)


class _Typed:
    """Redirects the requests of a browser that opens a page; what else is asked for goes on as it is."""

    def __init__(self, app: ASGIApp, site: Site) -> None:
        self.app, self.site = app, site
        base = str(st.get_option("server.baseUrlPath") or "").strip("/")
        self.base = f"/{base}" if base else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        target = self._target(scope) if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else None
        await (self.app if target is None else RedirectResponse(target))(scope, receive, send)

    def _target(self, scope: Scope) -> str | None:
        path = str(scope["path"])
        if not path.startswith(f"{self.base}/"):
            return None
        asked, (pages, also) = path.removeprefix(self.base), self.site()
        own, query = page_path(asked, pages, also), scope.get("query_string", b"").decode("latin-1")
        now = renamed(query)
        if own is None and (now == query or asked.strip("/") not in (*pages, "")):
            return None
        return f"{self.base}{own or asked}{f'?{now}' if now else ''}"
