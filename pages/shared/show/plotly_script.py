"""Plotly's own script, which the server hands out from where Plotly is installed: no copy of it, and no internet."""

from importlib.metadata import version
from pathlib import Path

import plotly
import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

NAME = f"plotly-{version('plotly')}.min.js"
FILE = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
FOLDER = "app/static"  # where Streamlit serves an app's own files; only our route is there
KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}  # for a year: its name changes with its version


def plotly_route() -> Route:
    """Return the route of the script, for ``st.App(routes=[...])``; its address is ``app/static/NAME``."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return Route(f"/{base}/{FOLDER}/{NAME}".replace("//", "/"), _send)


async def _send(_: Request) -> FileResponse:
    return FileResponse(FILE, media_type="text/javascript", headers=KEPT)
