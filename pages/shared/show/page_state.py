"""The state of the page that is shown: what its widgets say, and what it tells beside them, as its links hold it.

Every widget that is bound to the address takes part by itself. Streamlit leaves a widget's usual value out of the
address and has no public way to ask for it: what is read here of its session is read nowhere else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.query_params import QueryParams, parse_url_param

from pages.shared.show.links import MARK, USUAL, Asked, query_of, read_pairs, told
from softmerge_core.experiments.words import clipped

Texts = Sequence[str] | Callable[[], Sequence[str]]
_PAGE, _ASKED, _BESIDE, _REFUSED, _TOLD = "link:page", "link:asked", "link:beside", "link:refused", "link:told"
_EMBED = ("embed", "embed_options")  # Streamlit's own names
NOT_KNOWN = "not known here"


@dataclass(frozen=True)
class _Bound:
    """A widget that is bound to the address: its texts there, those of its usual value, and their type."""

    name: str
    texts: list[str]
    usual: list[str]
    kind: str

    def says(self, texts: Sequence[str]) -> bool:
        """Whether the widget shows what these texts ask for."""
        try:
            return bool(_values(self.texts, self.kind) == _values(texts, self.kind))
        except ValueError:
            return False


def open_page(page: str) -> None:
    """Begin a run of the script of a page: what the address asks for is noted when the reader has come to it."""
    st.session_state[_BESIDE] = {}
    if st.session_state.get(_PAGE) == page:
        return
    asked = read_pairs((name, text) for name in st.query_params for text in st.query_params.get_all(name))
    st.session_state[_PAGE], st.session_state[_ASKED] = page, asked
    st.session_state[_REFUSED], st.session_state[_TOLD] = {}, ""
    for address in _address():
        missing = {name: texts for name, texts in asked.usual.items() if name not in asked.state}
        address._initial_query_params |= missing  # from which widgets take their first values


def beside(name: str, texts: Texts) -> None:
    """Let the links to this page hold these texts under ``name``; a function is asked when a link is made."""
    st.session_state.setdefault(_BESIDE, {})[name] = texts


def refuse(name: str, text: str, why: str = "") -> None:
    """Note that this text under ``name`` in the address asks for what cannot be."""
    st.session_state.setdefault(_REFUSED, {})[name, text] = why


def refuse_value(name: str, why: str) -> None:
    """Let the widget ``name``, which is not drawn yet, have its usual value: what the address asks for cannot be."""
    for address in _address():
        refuse(name, str(asked_text(name)), why)
        address._initial_query_params.pop(name, None)
        address.remove_param(name)


def asked_text(name: str) -> str | None:
    """The text that the address asks of the widget ``name``."""
    for address in _address():
        value = address.get_initial_value(name)
        return value[-1] if isinstance(value, list) else value
    return None


def close_page() -> str:
    """End a run of the script of a page: returns what of the address was not understood, in words, or "".

    The address then holds only what was understood.
    """
    asked: Asked | None = st.session_state.pop(_ASKED, None)
    if asked is not None:
        widgets = {widget.name: widget for widget in _widgets()}
        missed = list(_missed(asked, widgets))
        st.session_state[_TOLD] = told(missed, asked.version if asked.newer else "")
        _tidy(asked, widgets, {name for name, _, why in missed if why == NOT_KNOWN})
    return str(st.session_state.get(_TOLD, ""))


def page_query() -> str:
    """The query of a link to this page as it is now."""
    widgets = list(_widgets())
    unlike = {widget.name: widget.texts for widget in widgets if widget.texts != widget.usual}
    usual = {widget.name: widget.texts for widget in widgets if widget.texts == widget.usual}
    return query_of({**unlike, **_beside()}, usual)


def _beside() -> dict[str, Sequence[str]]:
    told: Mapping[str, Texts] = st.session_state.get(_BESIDE, {})
    found = {name: texts() if callable(texts) else texts for name, texts in told.items()}
    return {name: texts for name, texts in found.items() if texts}


def _missed(asked: Asked, widgets: Mapping[str, _Bound]) -> Iterator[tuple[str, str, str]]:
    """(name, text, why) of what is not as the address asks."""
    refused: Mapping[tuple[str, str], str] = st.session_state.get(_REFUSED, {})
    yield from ((name, clipped(text, 60), clipped(why, 160)) for (name, text), why in refused.items())
    known = {*(name for name, _ in refused), *st.session_state[_BESIDE], *_EMBED}
    for name, texts in asked.all.items():
        if name in widgets and name not in known:
            if not widgets[name].says(texts):
                yield name, clipped(", ".join(texts), 60), ""
        elif name not in known:
            yield clipped(name, 60), clipped(", ".join(texts), 60), NOT_KNOWN


def _tidy(asked: Asked, widgets: Mapping[str, _Bound], unknown: set[str]) -> None:
    """Take out of the address what is not known; what was usual in a link and is so no more gets its own name."""
    moved = [widgets[name] for name in asked.usual if name in widgets and widgets[name].texts != widgets[name].usual]
    gone = {*unknown, *((MARK, USUAL) if moved or asked.newer or unknown & set(asked.usual) else ())}
    for address in _address():
        there = [name for name in gone if address.discard_param_no_forward_msg(name)]
        for widget in moved:
            address.set_with_no_forward_msg(widget.name, widget.texts)
        if there:
            address._send_query_param_msg()


def _widgets() -> Iterator[_Bound]:
    """The widgets of this page that are bound to its address."""
    context = get_script_run_ctx()
    for address in _address():
        for name, bound in list(address._bindings_by_param.items()):
            about = context.session_state._state.get_widget_metadata(bound.widget_id) if context else None
            if about is not None and name in st.session_state:
                usual = _texts(about.serializer(about.deserializer(None)))
                yield _Bound(name, _texts(about.serializer(st.session_state[name])), usual, about.value_type)


def _address() -> Iterator[QueryParams]:
    """Streamlit's own record of the address; nothing where no session runs."""
    context = get_script_run_ctx()
    if context is not None:
        with context.session_state.query_params() as address:
            yield address


def _texts(value: Any) -> list[str]:
    """A widget's value as the address has it; one empty text for none."""
    if isinstance(value, (list, tuple)):
        return [str(one) for one in value] or [""]
    return ["" if value is None else str(value).lower() if isinstance(value, bool) else str(value)]


def _values(texts: Sequence[str], kind: str) -> Any:
    value = parse_url_param(list(texts), kind)
    return sorted(value, key=str) if isinstance(value, list) else value
