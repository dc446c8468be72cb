"""Networks to take along: their files are made when asked for, by a process of their own, since it loads torch.

A browser asks for such a file beside the script, which learns from ``Making`` what came of it. Streamlit's own words
for a file that could not be made give no reason: ``page.css`` hides them here, so whatever goes wrong is told here.
"""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event

import streamlit as st

from pages.shared.choose.zoo_command import engine_command
from pages.shared.show.text import plain
from softmerge_core.errors import CheckpointError, SoftMergeError
from softmerge_core.experiments.words import sentence
from softmerge_core.export.exchange import missing

FAILURE = "the file could not be made"
NOT_ASKED = "the browser has not asked for the file: press the button again"
BEGINS = 5.0  # seconds within which the browser asks for the file whose button it says was pressed
LOOK = 0.2  # seconds
# Per button: format, label, icon, what the file's name says, its ending, type, help.
PT = ("pt", "As .pt", ":material/download:", "weights", "pt", "application/octet-stream")
ZIP = ("zip", "Everything (.zip)", ":material/folder_zip:", "network", "zip", "application/zip")
HELP = {
    "pt": "The same weights as PyTorch's own file: a plain state dict for torch.load.",
    "zip": "All weights files, a Python file that loads them without this app, and a card that says what they are.",
}


@dataclass
class Making:
    """One file that a button may be asked for: whether its making has begun, has ended, and with which problem."""

    begun: Event = field(default_factory=Event)
    done: Event = field(default_factory=Event)
    problem: str = ""


def take_home(what: str, name: Callable[[str, str], str]) -> None:
    """Buttons for the network ``what`` (as ``softmerge export`` takes it) as .pt and as an archive of everything.

    ``name`` gives the name of a file from what it holds and its ending. What goes wrong is told when it has.
    """
    with st.container(width="content"):
        _buttons(what, name)


@st.fragment
def _buttons(what: str, name: Callable[[str, str], str]) -> None:
    with st.container(horizontal=True, width="content"):
        pressed = [making for button in (PT, ZIP) if (making := _button(what, button, name)) is not None]
    for making in pressed:
        follow_making(making)


def _button(what: str, button: tuple[str, ...], name: Callable[[str, str], str]) -> Making | None:
    """Draw a button; returns the file that it has just been asked for."""
    form, label, icon, holds, ending, mime = button
    key = f"take-home:{form}:{what}"
    before, after = st.session_state.get(f"{key}:making"), Making()
    st.session_state[f"{key}:making"] = after
    pressed = st.download_button(
        label, partial(exported, what, form, after), name(holds, ending), mime, key=key, icon=icon, help=HELP[form]
    )
    return before if pressed else None


def follow_making(making: Making) -> None:
    """Wait until a file is there, unless the reader does something else, and tell why it is not."""
    slot = st.empty()
    if not making.begun.wait(BEGINS):
        _tell(NOT_ASKED)
        return
    while not making.done.wait(LOOK):
        slot.empty()  # here Streamlit turns to whatever else the reader has done
    if making.problem:
        _tell(making.problem)


def _tell(problem: str) -> None:
    st.toast(plain(sentence(problem), 400), icon=":material/error:", duration="long")


def exported(what: str, form: str, making: Making) -> bytes:
    """The bytes of the file that ``softmerge export`` makes; raises SoftMergeError, and ``making`` has its words."""
    return watched(making, lambda: _made(what, form))


def watched(making: Making, make: Callable[[], bytes]) -> bytes:
    """The bytes that ``make`` gives; ``making`` tells that it began, that it ended, and what went wrong."""
    making.begun.set()
    try:
        return make()
    except SoftMergeError as error:
        making.problem = str(error)
        raise
    except Exception:
        making.problem = FAILURE
        raise
    finally:
        making.done.set()


def _made(what: str, form: str) -> bytes:
    try:
        with tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
            engine_command("export", what, f"--out={folder}", f"--format={form}", failure=FAILURE)
            (path,) = Path(folder).iterdir()
            return path.read_bytes()
    except (OSError, ValueError) as error:
        raise CheckpointError(FAILURE) from error


def onnx_note() -> str:
    """What to install so that the archive has an ONNX file too, as Markdown; "" where all is there."""
    told, _, command = missing().partition(": ")
    return f"{told} beside this app: `{command}`" if told else ""
