"""The Gate page: the hard-concrete distribution under the reader's own hand, computed in the browser."""

import streamlit as st

from pages.gate.formulas import formulas
from pages.gate.laboratory import gate_laboratory
from pages.gate.states import LIMITS, State, number, start_state, told_state
from pages.shared.show.copy_link import page_head
from pages.shared.show.page_state import beside, refuse
from pages.shared.show.site_map import lead_to
from pages.shared.show.theme import current_theme, landing

PURPOSE = (
    "Soft merging learns with gates that can be exactly 0 or exactly 1 and still have a gradient. "
    "Drag one, and see how that can be."
)
LABORATORY, PLACE, JUMP = "gate-laboratory", "gate:place", "gate:jump"


def page() -> None:
    """Draw the page."""
    page_head("The gate", PURPOSE)
    if (asked := _asked()) is not None:
        st.session_state[PLACE], st.session_state[JUMP] = asked, _jumps() + 1
    for name in LIMITS:
        beside(name, lambda name=name: [repr(_now()[name])])  # type: ignore[misc]
    landing()
    # No fragment: where two of them have news in the same instant, as when "Copy link" is pressed, only one would run.
    st.session_state[PLACE] = _now()
    gate_laboratory(st.session_state[PLACE], key=LABORATORY, jump=_jumps(), theme=current_theme())
    lead_to(
        "merge",
        "Train such gates on the Merge page",
        "One gate for each source and each model, module, layer or channel decides how much of it is merged.",
    )
    formulas()


def _now() -> State:
    """The state that the laboratory has told last, or that of an earlier visit in this session, or the first."""
    told = (st.session_state.get(LABORATORY) or {}).get("at")
    kept: State = told_state(told, _jumps()) or st.session_state.get(PLACE) or start_state()
    return kept


def _jumps() -> int:
    """How often a link has asked for a state in this session."""
    count: int = st.session_state.get(JUMP, 0)
    return count


def _asked() -> State | None:
    """The state that a link asks for; what it does not tell, or cannot be, is as usual. The address forgets it then."""
    texts = {name: st.query_params.pop(name) for name in LIMITS if name in st.query_params}
    if not texts:
        return None
    state = start_state()
    for name, text in texts.items():
        try:
            state[name] = number(name, text)
        except ValueError as error:
            refuse(name, text, str(error))
    return state
