"""The server. Start it with ``make run`` or ``softmerge app``; the pages are in ``pages/site.py``.

``python -m streamlit run app.py`` starts it as well.
"""

import importlib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st

import pages
from pages.shared.runs.services import warm_up
from pages.shared.show.plotly_script import packed, plotly_preload, plotly_route

SITE = Path(str(pages.__file__)).parent / "site.py"  # installed, this file does not lie beside the pages


@asynccontextmanager
async def _ready(_: st.App) -> AsyncGenerator[dict[str, Any], None]:
    """Start the workers and import the pages with the server, so that the first reader waits for neither."""
    warm_up()
    packed()
    importlib.import_module("pages.site")
    yield {}


app = st.App(SITE, lifespan=_ready, routes=[plotly_route()], middleware=[plotly_preload()])
