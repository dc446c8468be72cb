"""What a reader has thrown away: each of it can be brought back for a day, or deleted for good."""

from collections.abc import Callable

import streamlit as st

from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.words import clipped, sentence
from softmerge_core.home import bring_back, discard

MOST = 5  # of them are offered


def throw_away(group: str, title: str, remove: Callable[[], str]) -> None:
    """Let ``remove`` set something called ``title`` aside, and keep its ticket; tells why where that fails.

    ``group``: "own" or "runs", which have a list each in this session.
    """
    try:
        ticket = remove()
    except SoftMergeError as error:
        _tell(str(error))
        return
    st.session_state[_key(group)] = [(title, ticket), *_deleted(group)]


def tell_deleted(group: str) -> None:
    """What this session has deleted, each with a button that brings it back and one that frees its space."""
    for title, ticket in _deleted(group)[:MOST]:
        with st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"deleted-{ticket}"):
            st.markdown(f":material/delete: Deleted: {plain(title, 60)}. It can come back for a day.")
            st.button(
                "Undo",
                key=f"undo:{ticket}",
                on_click=_settle,
                args=(group, title, ticket, bring_back, "brought back"),
                type="primary",
                help=f"Undo: bring {plain(title, 60)} back",
            )
            st.button(
                "Free its space",
                key=f"free:{ticket}",
                on_click=_settle,
                args=(group, title, ticket, discard, "deleted for good"),
                type="tertiary",
                help=f"Delete {plain(title, 60)} for good, now.",
            )


def _settle(group: str, title: str, ticket: str, work: Callable[[str], object], outcome: str) -> None:
    """Do something with what was deleted, which is then off the list; tell why where it cannot be done."""
    try:
        work(ticket)
    except OSError as error:
        _tell(f"“{clipped(title, 60)}” could not be {outcome}: {error.strerror or error}")
        return
    st.session_state[_key(group)] = [entry for entry in _deleted(group) if entry[1] != ticket]


def _deleted(group: str) -> list[tuple[str, str]]:
    """(title, ticket) of what was thrown away, newest first."""
    found: list[tuple[str, str]] = st.session_state.get(_key(group), [])
    return found


def _key(group: str) -> str:
    return f"{group}:deleted"


def _tell(problem: str) -> None:
    st.toast(plain(sentence(problem), 300), icon=":material/error:")
