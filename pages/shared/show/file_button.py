"""A button that saves a file, at whatever moment it is pressed: the browser fetches and saves it, and no script runs.

Streamlit's own button for files asks for a name that holds for one run of the page's script: pressed while the page is
drawn again, it may be told that there is no such file.
"""

from pathlib import Path
from typing import Any
from urllib.parse import quote

import streamlit as st

from pages.shared.show.scripts import scripts

MADE = "app/made"  # where a server makes files; the route is in pages/shared/runs/made.py
_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "softmerge_file_button",
    html='<div class="sm-file" hidden><button type="button"><span class="sm-file-icon" aria-hidden="true"></span>'
    '<span class="sm-file-label"></span></button><div class="sm-file-said" role="status"></div></div>',
    css=(_HERE / "file_button.css").read_text(encoding="utf-8"),
    js=scripts(_HERE, "save_file.js", "file_button.js"),
)


def made(form: str, what: str) -> str:
    """The address of a file that is made when it is asked for: its ``form``, of the run or model ``what``."""
    return f"{MADE}/{form}/{quote(what)}"


def file_button(
    label: str,
    file: str,
    *,
    help: str,
    icon: str = "",
    address: str = "",
    text: str = "",
    pictures: bool = False,
    small: bool = False,
    place: str = "",
) -> None:
    """Draw a button that saves ``file``.

    ``place``: a name unlike others on the page, by default that of the file. For files whose names change with the run
    that is shown: Streamlit keeps something of each name that a session has ever drawn.

    The file holds ``text``, or what the server makes at ``address`` (see ``made``), where what goes wrong is told in a
    sentence; with ``pictures`` the browser sends it those of all charts, as they are drawn. ``icon``: of Material
    Symbols, ":material/name:"; ``help``: one sentence; ``small``: no frame.
    """
    data: dict[str, Any] = {
        "label": label,
        "file": file,
        "help": help,
        "icon": icon.removeprefix(":material/").removesuffix(":"),
        "address": address,
        "text": text,
        "pictures": pictures,
        "small": small,
    }
    _component(key=f"file:{place or file}", data=data, width="content")
