"""The server. Start it with ``make run``, or ``python -m streamlit run app.py``; the pages are in ``pages/site.py``."""

import importlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shared.runs.services import warm_up

SITE = Path(__file__).parent / "pages" / "site.py"


@asynccontextmanager
async def _ready(_: st.App) -> AsyncGenerator[dict[str, Any], None]:
    """Start the workers and import the pages with the server, so that the first reader waits for neither."""
    warm_up()
    importlib.import_module("pages.site")
    yield {}


app = st.App(SITE, lifespan=_ready)
