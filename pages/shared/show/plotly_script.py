"""Plotly's own script, which the server hands out from where Plotly is installed: no copy of it, and no internet."""

import gzip
from functools import cache
from importlib.metadata import version
from pathlib import Path

import plotly
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.shared.show.addresses import own_address

NAME = f"plotly-{version('plotly')}.min.js"
FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
FOLDER = "app/static"  # where Streamlit serves an app's own files; only our route is there
KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}  # for a year: its name changes with its version
PACKED = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}


def plotly_route() -> Route:
    """Return the route of the script, for ``st.App(routes=[...])``; its address is ``app/static/NAME``."""
    return Route(_address(), _send)


def plotly_preload() -> Middleware:
    """Return what makes browsers fetch the script with a page, not after it, for ``st.App(middleware=[...])``."""
    return Middleware(_Preload)


@cache
def packed() -> bytes:
    """The script compressed, once for all readers.

    A file is sent in many small pieces, each of which waits for its turn: seconds while pages are drawn again and
    again.
    """
    return gzip.compress(FILE.read_bytes(), 6)


def _address() -> str:
    return address_of(NAME)


def address_of(name: str) -> str:
    """The address of a file that the server hands out itself."""
    return own_address(f"{FOLDER}/{name}")


async def _send(request: Request) -> Response:
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed(), media_type="text/javascript", headers={**KEPT, **PACKED})
    return FileResponse(FILE, media_type="text/javascript", headers=KEPT)


class _Preload:
    """Adds the header that announces the script to every HTML page."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.link = (b"link", f"<{_address()}>; rel=preload; as=script".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def announce(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_page(message):
                message["headers"] = [*message["headers"], self.link]
            await send(message)

        await self.app(scope, receive, announce if scope["type"] == "http" else send)


def _is_page(message: Message) -> bool:
    return any(name == b"content-type" and value.startswith(b"text/html") for name, value in message["headers"])
