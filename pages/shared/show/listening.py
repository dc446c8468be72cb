"""Where the server listens, and who can open it there."""

import streamlit as st

LOCAL = ("localhost", "127.0.0.1", "::1")


def listens_on() -> str:
    """The address on which the server listens; 0.0.0.0 for all of the machine."""
    return str(st.get_option("server.address") or "0.0.0.0")


def local_only() -> bool:
    """Whether only this machine can open the app."""
    return listens_on() in LOCAL
