"""Following one run while it is live: the one polling fragment of a page, and its pace."""

from collections.abc import Callable

import streamlit as st

from pages.shared.runs import address
from pages.shared.runs.reader import RunReader
from pages.shared.show.live_plot import let_it_be_sent
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.words import sentence

PACES = (0.8, 1.6, 3.2)  # seconds between two readings of a live run
NEWS = 16  # after the first moments a reading waits until there is a sixteenth more to see


def follow(kind: str, draw: Callable[[RunReader | None], None]) -> None:
    """Draw the run, and while it is live draw it again and again."""
    reader: RunReader | None = st.session_state.get(f"{kind}:reader")
    every = _pace(reader)
    status = reader.view.status if reader else None
    polled = st.session_state.get(f"{kind}:polled", False)  # the browser may still ask for a poll of the run before
    st.session_state[f"{kind}:polled"] = every is not None

    asked = False

    def poll() -> None:
        nonlocal asked
        if asked:  # by the browser, whose address comes with it; the first time it is only drawn
            address.answered()
        asked = True
        if reader is not None:
            _read(reader)
        draw(reader)
        if reader is not None and (reader.view.status != status or _pace(reader) != every):
            st.rerun()  # the buttons depend on the status, and only the whole script can change the pace of polling

    if every and reader:
        st.session_state[f"{kind}:followed"] = reader.run_id
    first = reader is not None and st.session_state.get(f"{kind}:followed") == reader.run_id
    order = "var(--sm-first)" if first else "0"  # where all is in one column, a run that was seen live comes first
    st.html(f"<style>[data-testid=stColumn]:has(.st-key-controls-{kind}) {{ order: {order} }}</style>")
    st.fragment(poll, run_every=every, key=f"{kind}-follow")()
    if every or polled:
        let_it_be_sent()


def pace(reader: RunReader) -> float:
    """Seconds between two readings: the longer the run has gone, the less a moment adds to its pictures.

    Reading and drawing a page takes a browser as long as a hundred steps of a merge, on the same machine perhaps.
    """
    if reader.awaited:
        return PACES[0]
    return max(each for each in PACES if each <= max(PACES[0], reader.age / NEWS))


def _pace(reader: RunReader | None) -> float | None:
    """Seconds between two readings of a run that is live; else None."""
    return pace(reader) if reader is not None and reader.live else None


def _read(reader: RunReader) -> None:
    try:
        reader.poll()
        if reader.live:
            reader.renew()
    except SoftMergeError as error:
        st.error(plain(sentence(str(error)), 400), icon=":material/error:")


def show_and_let_go(show: Callable[[], None]) -> None:
    """Show a page, then let go of the readers of runs of which it asked nothing: this session has left them.

    Each holds a few hundred kB: its events, words and pictures. ``shown_run`` opens the run again where it is wanted.
    """
    for reader in _readers().values():
        reader.left()
    show()
    for name, reader in _readers().items():
        if reader.left():
            del st.session_state[name]


def _readers() -> dict[str, RunReader]:
    """The readers of this session by their names in its state; those of examples are shared by all sessions."""
    kept = {str(name): value for name, value in st.session_state.items() if str(name).endswith(":reader")}
    return {name: value for name, value in kept.items() if isinstance(value, RunReader)}
