"""What students need to join: the address, the code, and both as a QR picture."""

import html
import socket
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import segno
import streamlit as st

from pages.shared.show.listening import LOCAL, local_only
from pages.shared.show.text import plain

ADDRESS = "class-address"
LONGEST = 200  # letters of an address
_CSS = (Path(__file__).parent / "classroom.css").read_text(encoding="utf-8")


def style() -> None:
    """The few rules of this page."""
    st.html(f"<style>{_CSS}</style>")


def invite(code: str) -> None:
    """Draw the address, the code and the QR picture, and the field in which the address can be put right."""
    typed = str(st.session_state.get(ADDRESS) or page_address())
    address = sound(typed)
    shown = address or page_address()
    link = f"{shown}?code={code}"
    letters = " ".join(code)
    st.html(
        f'<div class="sm-invite"><p>On your phone, open</p><p class="sm-where">{html.escape(_short(shown))}</p>'
        f'<p>and enter</p><p class="sm-code" role="img" aria-label="Code {letters}">{code}</p>'
        f'<img class="sm-qr" alt="QR code that leads to {html.escape(link)}" src="{qr(link)}"></div>'
    )
    _warn(shown)
    with st.expander("The address is another one", icon=":material/edit:"):
        st.text_input(
            "Address of this page for students", value=page_address(), key=ADDRESS, max_chars=LONGEST,
            persist_state="session",
            help="What a phone in this room must open; the page guesses it, as your own browser may know another.",
        )  # fmt: skip
        if address is None:
            st.error(plain("Expected an address such as http://192.168.1.5:8501/classroom.", 120))


def _warn(address: str) -> None:
    """Say so where no phone can come to that address."""
    if local_only():
        st.warning(
            "This server listens on this machine only, so phones cannot reach it. Start it with "
            "`--server.address 0.0.0.0` to open it to your network; it has no login.",
            icon=":material/wifi_off:",
        )
    elif (urlsplit(address).hostname or "") in LOCAL:
        st.warning("This address leads each phone to itself: put it right below.", icon=":material/wifi_off:")


def page_address() -> str:
    """The address of this page as others in the network may open it: that of the browser, or else of this machine."""
    here = urlsplit(str(st.context.url or "http://localhost:8501/classroom"))
    host = here.hostname or "localhost"
    if host in LOCAL and not local_only():
        host = own_address() or host
    host = f"[{host}]" if ":" in host else host
    place = f"{host}:{here.port}" if here.port else host
    return urlunsplit((here.scheme or "http", place, here.path or "/classroom", "", ""))


@lru_cache(maxsize=1)
def own_address() -> str:
    """The address of this machine in its network, "" where it has none; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # a network for examples, which is routed like any other
            found = str(probe.getsockname()[0])
        except OSError:
            return ""
    return "" if found in LOCAL or found == "0.0.0.0" else found


def sound(text: str) -> str | None:
    """The address without a query, if a browser could open it; None otherwise."""
    text = text.strip() if "//" in text else f"http://{text.strip()}"
    try:
        parts = urlsplit(text)
        whole = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return None
    if not whole or len(text) > LONGEST or not text.isprintable() or " " in text:
        return None
    return urlunsplit((parts.scheme, parts.netloc, parts.path or "/classroom", "", ""))


def _short(address: str) -> str:
    """As people type it: browsers add the rest."""
    return address.removeprefix("http://")


@lru_cache(maxsize=64)
def qr(link: str) -> str:
    """A QR picture as a data address: dark on white in both themes, as phones want it."""
    made = segno.make(link, error="m", micro=False)
    return str(made.png_data_uri(scale=10, border=4, dark="#000000", light="#ffffff"))
