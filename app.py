"""The server. Start it with ``make run`` or ``softmerge app``; the pages are in ``pages/site.py``.

``python -m streamlit run app.py`` starts it as well.
"""

import importlib
import logging
import os
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st

import pages
from pages.merge.film_route import film_route
from pages.shared.runs.made import made_route
from pages.shared.runs.services import owner_token, warm_up
from pages.shared.show.addresses import typed_addresses
from pages.shared.show.figure_csv import values_route
from pages.shared.show.listening import LOCAL, listens_on
from pages.shared.show.plotly_script import packed, plotly_preload, plotly_route
from softmerge_core.allocator import give_back_freed_memory, set_aside_what_lasts
from softmerge_core.folder import FOLDER, server_folder
from softmerge_core.home import empty_trash
from softmerge_core.networks.registration import ask_another_process, problems

# Streamlit's own, which tells with a traceback what no page sends, but any program may
VALUES = logging.getLogger("streamlit.components.v2.bidi_component.serialization")
SITE = Path(str(pages.__file__)).parent / "site.py"  # installed, this file does not lie beside the pages


@asynccontextmanager
async def _ready(_: st.App) -> AsyncGenerator[dict[str, Any], None]:
    """Tell where the server listens; get workers and pages ready, so that the first reader waits for neither."""
    VALUES.addFilter(in_one_line)
    print(who_can_open(listens_on()), flush=True)
    print(f"Who enters the token {owner_token()} on the Runs page can stop and delete every run.", flush=True)
    for problem in what_is_wrong():
        print(problem, flush=True)
    empty_trash()
    warm_up()
    packed()
    importlib.import_module("pages.site")
    set_aside_what_lasts()
    yield {}


def in_one_line(record: logging.LogRecord) -> bool:
    """Let a message pass without its traceback."""
    record.exc_info = record.exc_text = None
    return True


def who_can_open(address: str) -> str:
    """What the one who starts the server is told about the address where it listens."""
    if address in LOCAL:
        return (
            f"The app listens on {address}: only this machine can open it. To open it to your network, start it with "
            "--server.address 0.0.0.0; it has no login."
        )
    return f"The app listens on {address} and has no login: whoever can reach it can see, start and stop runs."


def what_is_wrong() -> list[str]:
    """What the one who starts the server is told about the file of networks and the folder that were named."""
    folder = os.environ.get(FOLDER)
    missing = [f"{FOLDER}: expected a folder, found none: {folder}"] if folder and server_folder() is None else []
    return [*(f"Networks of your own: {problem}" for problem in problems()), *missing]


def _pages() -> tuple[Collection[str], Mapping[str, str]]:
    site = importlib.import_module("pages.site")
    return site.PAGES, site.ALSO


give_back_freed_memory()
ask_another_process()
MIDDLEWARE = [typed_addresses(_pages), plotly_preload()]
ROUTES = [plotly_route(), values_route(), film_route(), made_route()]
app = st.App(SITE, lifespan=_ready, routes=ROUTES, middleware=MIDDLEWARE)
