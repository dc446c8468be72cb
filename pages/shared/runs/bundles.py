"""A whole run to take along: a bundle, which becomes the run again anywhere, and of a merge a page that plays it.

Both are made when they are asked for, by processes of their own. The pictures of a bundle are those that the reader's
browser draws (a server need not have one): it sends them while the server waits.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from pages.shared.choose.take_home import FAILURE, Making, follow_making, watched
from pages.shared.choose.zoo_command import engine_command
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from pages.shared.show.chart_pictures import Pictures, chart_pictures
from pages.shared.show.text import plain
from softmerge_core.errors import CheckpointError, SoftMergeError
from softmerge_core.export.bundle.mark import mark_sentence, read_mark

BUNDLE, REPLAY = "bundle", "replay"
FILMED = "merge"  # the kind of runs that can be replayed
BUTTON = "bundle-button"
# Per button: label, icon, the file's ending, its type, help.
BUTTONS = {
    BUNDLE: (
        "Bundle", ":material/inventory_2:", "zip", "application/zip",
        "All of this run as one file: settings, seeds, numbers, events, weights, tables, pictures as they are drawn "
        "here, and a script; drop it on the Runs page to make it a run again.",
    ),
    REPLAY: (
        "Replay (HTML)", ":material/slideshow:", "html", "text/html",
        "This merge as one page that plays without a network, for slides and mail.",
    ),
}  # fmt: skip


def take_run(reader: RunReader, name: Callable[[str, str], str]) -> None:
    """Buttons for the bundle of a run and the replay of a merge.

    ``name`` gives the name of a file from what it holds and its ending. What goes wrong is told when it has.
    """
    with st.container(width="content", key="take-run"):
        _buttons(reader.run_id, reader.view.spec.kind, name)


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


@st.fragment
def _buttons(run_id: str, kind: str, name: Callable[[str, str], str]) -> None:
    pictures: Pictures = st.session_state.setdefault(f"pictures:{run_id}", Pictures())
    asked = f"take-run:asked:{run_id}"  # a bundle that waits for its pictures
    with st.container(horizontal=True, width="content", vertical_alignment="center"):
        with st.container(width="content", key=BUTTON):
            if (making := _button(BUNDLE, run_id, name, partial(_bundle, run_id, pictures))) is not None:
                st.session_state[asked] = making
        replay = _button(REPLAY, run_id, name, partial(_replay, run_id)) if kind == FILMED else None
        came = chart_pictures(pictures, asked_by=BUTTON, key=f"chart-pictures-{run_id}")
    for making in (replay, st.session_state.pop(asked, None) if came else None):
        if making is not None:
            follow_making(making)


def _button(form: str, run_id: str, name: Callable[[str, str], str], make: Callable[[], bytes]) -> Making | None:
    """Draw a button; returns the file that it has just been asked for."""
    label, icon, ending, mime, about = BUTTONS[form]
    key = f"take-run:{form}:{run_id}"
    before, after = st.session_state.get(f"{key}:making"), Making()
    st.session_state[f"{key}:making"] = after
    work = partial(watched, after, make)
    return before if st.download_button(label, work, name(form, ending), mime, key=key, icon=icon, help=about) else None


def _bundle(run_id: str, pictures: Pictures) -> bytes:
    with tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
        drawn = Path(folder) / "figures"
        drawn.mkdir()
        for name, content in pictures.take().items():
            (drawn / name).write_bytes(content)
        return _made(Path(folder) / "bundle.zip", BUNDLE, run_id, f"--figures={drawn}")


def _replay(run_id: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="softmerge-") as folder:
        return _made(Path(folder) / "replay.html", REPLAY, run_id)


def _made(path: Path, command: str, run_id: str, *options: str) -> bytes:
    """The bytes of the file that a command makes of a run at ``path``; raises CheckpointError or RunError."""
    try:
        engine_command(command, run_id, str(path), *options, failure=FAILURE)
        return path.read_bytes()
    except OSError as error:
        raise CheckpointError(FAILURE) from error
