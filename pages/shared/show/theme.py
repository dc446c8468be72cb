"""How the site looks to its reader: which of the two themes, and how large its type, as far as the server knows."""

from pathlib import Path

import streamlit as st

from softmerge_core.figures.style import Theme, colour

LARGE = 1.25  # how much larger than usual everything is for a room full of readers
# px: the widths from which the set-up has its place beside the results, and from which both have all the room they want
WIDE, ROOMY = 960, 1280
BAR = 1280  # px: the width from which the bar of the pages has room for the switch, in large type as well
SNUG = 1120  # px: the width from which it has all the room it wants
_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
_SWITCH = "large-type"
RUN, SETUP = "run-controls", "set-up"  # where the skip link and the link to the set-up lead

_key = st.components.v2.component(
    "softmerge_type_key", js=(Path(__file__).parent / "type_key.js").read_text(encoding="utf-8")
)


def current_theme() -> Theme:
    """The reader's theme; "light" until the browser has said (charts correct themselves in the page)."""
    return "dark" if st.context.theme.type == "dark" else "light"


def type_scale() -> float:
    """How much larger than usual the reader wants type and pictures: 1 or ``LARGE``."""
    return LARGE if st.session_state.get(_SWITCH) else 1.0


def type_switch() -> None:
    """Draw the switch between usual and large type; it is kept in the session and the address."""
    with st.container(key="site-type"):
        st.toggle(
            "Large type",
            key=_SWITCH,
            bind="query-params",
            persist_state="session",
            help="Larger letters and pictures, for a projector or tired eyes; the key F2 switches them.",
        )
        _key(key="large-type-key")


def page_style() -> None:
    """The few rules that make all pages calm and dense enough for a picture above the fold.

    Their colours are those of both themes: the reader's device may change to the other without asking the server.
    """
    scale = type_scale()
    names = {"background": "background", "line": "axis", "quiet": "quiet", "text": "text", "on-primary": "background"}
    values = {name: f"light-dark({colour(key, 'light')}, {colour(key, 'dark')})" for name, key in names.items()}
    values["type"] = f"{100 * scale:g}%"
    variables = "; ".join(f"--sm-{name}: {value}" for name, value in values.items())
    st.html(f"<style>:root {{ {variables} }}{style_rules(scale)}</style>")


def style_rules(scale: float) -> str:
    """The rules of ``page.css`` with their widths in px, for type that is ``scale`` times as large as usual."""
    widths = {
        "NARROW": scale * (WIDE - 0.02),
        "WIDE": scale * WIDE,
        "ROOMY": scale * ROOMY,
        "SNUG": scale * (SNUG - 0.02),
        "BAR": BAR,
    }
    rules = _STYLE
    for name, width in widths.items():
        rules = rules.replace(f": {name})", f": {width:g}px)")
    return rules


def skip_link() -> None:
    """Draw the first thing that the Tab key reaches in a page: a link past the set-up to the buttons of the run."""
    st.html(f'<a class="sm-skip" href="#{RUN}">Skip to the run</a>')


def setup_link() -> None:
    """Draw a link to the set-up, which begins here, for phones, where it lies below the pictures."""
    st.html(f'<a class="sm-to-setup" href="#{SETUP}">Settings</a>')
    st.html(f'<span class="sm-landing" id="{SETUP}" tabindex="-1"></span>')


def landing() -> None:
    """Draw where ``skip_link`` leads to; nothing is seen of it."""
    st.html(f'<span class="sm-landing" id="{RUN}" tabindex="-1"></span>')
