"""A whole run to take along: a bundle, which becomes the run again anywhere, and of a merge a page that plays it.

Both are made when they are asked for, by processes of their own. The pictures of a bundle are those that the reader's
browser draws (a server need not have one).
"""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import streamlit as st

from pages.shared.choose.take_home import FAILURE
from pages.shared.choose.zoo_command import engine_command
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from pages.shared.show.file_button import file_button, made
from pages.shared.show.text import plain
from softmerge_core.errors import CheckpointError, SoftMergeError
from softmerge_core.export.bundle.mark import mark_sentence, read_mark

BUNDLE, REPLAY = "bundle", "replay"
FILMED = "merge"  # the kind of runs that can be replayed
# Per button: label, icon, the file's ending, help.
BUTTONS = {
    BUNDLE: (
        "Bundle", ":material/inventory_2:", "zip",
        "All of this run as one file: settings, seeds, numbers, events, weights, tables, pictures as they are drawn "
        "here, and a script; drop it on the Runs page to make it a run again.",
    ),
    REPLAY: (
        "Replay (HTML)", ":material/slideshow:", "html",
        "This merge as one page that plays without a network, for slides and mail.",
    ),
}  # fmt: skip


def take_run(reader: RunReader, name: Callable[[str, str], str]) -> None:
    """Buttons for the bundle of a run and the replay of a merge.

    ``name`` gives the name of a file from what it holds and its ending.
    """
    with st.container(key="take-run", horizontal=True, width="content", vertical_alignment="center"):
        _button(BUNDLE, reader.run_id, name)
        if reader.view.spec.kind == FILMED:
            _button(REPLAY, reader.run_id, name)


def tell_mark(reader: RunReader) -> None:
    """Tell from where the run came, if not from here."""
    if told := reader.once("mark", lambda: _mark(reader.run_id)):
        st.caption(told)


def _mark(run_id: str) -> str:
    try:
        mark = read_mark(run_store().folder(run_id))
    except SoftMergeError:
        return ""
    return plain(mark_sentence(mark), 400) if mark else ""


def _button(form: str, run_id: str, name: Callable[[str, str], str]) -> None:
    label, icon, ending, about = BUTTONS[form]
    address, drawn = made(form, run_id), form == BUNDLE
    file_button(label, name(form, ending), address=address, icon=icon, help=about, pictures=drawn, place=form)


def bundled(run_id: str, pictures: Mapping[str, bytes]) -> bytes:
    """The bundle of a run with these pictures, by the names of their files; raises SoftMergeError."""
    with tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
        drawn = Path(folder) / "figures"
        drawn.mkdir()
        for name, content in pictures.items():
            (drawn / name).write_bytes(content)
        return _made(Path(folder) / "bundle.zip", BUNDLE, run_id, f"--figures={drawn}")


def replayed(run_id: str) -> bytes:
    """The page that plays a merge; raises SoftMergeError."""
    with tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
        return _made(Path(folder) / "replay.html", REPLAY, run_id)


def _made(path: Path, command: str, run_id: str, *options: str) -> bytes:
    """The bytes of the file that a command makes of a run at ``path``; raises CheckpointError or RunError."""
    try:
        engine_command(command, run_id, str(path), *options, failure=FAILURE)
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(FAILURE) from error
