"""Choosing ways to merge."""

import re
from collections.abc import Sequence

import streamlit as st

from pages.shared.choose.sources import PickedSource, too_few
from pages.shared.show.text import plain
from softmerge_core.methods import Method, available_methods

# a paper's number, as ``plain`` writes it, and the link to it: the list is long, and keys scroll what holds a link
_ARXIV, _LINK = re.compile(r"arXiv (\d{4})\\\.(\d{4,5})"), r"[arXiv \1.\2](https://arxiv.org/abs/\1.\2)"


def pick_methods(key: str, options: Sequence[str], default: Sequence[str]) -> list[str]:
    """The chosen methods in the order of ``options``; a button shows what each of them does."""
    methods = available_methods()
    chosen = st.pills(
        "Ways to merge",
        options,
        selection_mode="multi",
        default=default,
        format_func=lambda name: methods[name].title,
        key=key,
        bind="query-params",
        wrap=True,
        help="Each chosen method merges the same sources.",
    )
    with st.container(horizontal=True, gap="small", key=f"{key}-row"):
        for label, names in (("All", options), ("None", [])):
            st.button(
                label,
                key=f"{key}-{label.lower()}",
                type="tertiary",
                on_click=_choose,
                args=(key, list(names)),
                help=f"Choose {label.lower()} of the methods.",
            )
        with st.popover("What they do", type="tertiary", icon=":material/info:", help="Each method in one sentence."):
            st.markdown("\n".join(_about(methods[name]) for name in options))
    return [name for name in options if name in chosen]


def _choose(key: str, names: list[str]) -> None:
    st.session_state[key] = names


def _about(method: Method) -> str:
    paper = f" *{_ARXIV.sub(_LINK, plain(method.paper, 120))}*" if method.paper else ""
    return f"- **{plain(method.title)}.** {plain(method.summary, 300)}{paper}"


def nothing_to_do(picked: Sequence[PickedSource], names: Sequence[str]) -> str:
    """A sentence that asks for the sources or methods that are missing, or "" if there are enough."""
    return too_few(picked) or ("" if names else "Choose one method or more")
