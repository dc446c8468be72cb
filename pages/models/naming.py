"""The name under which a new model is kept: a free one is suggested, so that names tell models apart."""

from collections.abc import Collection

import streamlit as st


def pick_name(key: str, wanted: str, taken: Collection[str], *, joint: str, help: str) -> str:
    """The typed name as it is, or where none was typed, ``wanted`` or the first of its numbered forms that is free."""
    suggested = unused(wanted, taken, joint)
    typed = st.text_input(
        "Name", key=key, placeholder=suggested, max_chars=60, persist_state="session", help=help,
        bind="query-params",
    )  # fmt: skip
    return typed.strip() or suggested


def unused(name: str, taken: Collection[str], joint: str) -> str:
    """``name``, or with the lowest number from 2 on behind ``joint`` that makes a name which is not taken."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name}{joint}{number}"
    return found
