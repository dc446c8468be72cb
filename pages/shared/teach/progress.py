"""How far a reader has come in the lessons. Their browser keeps it, in its local storage; nobody else does.

The session knows what it was told by the browser and what has come since, to draw the marks.
"""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple

import streamlit as st

from pages.shared.teach.lesson import lessons

KEY, _KNOWN, _FORGET = "learn-progress", "learn:progress", "learn:forget"
MOST = 100  # numbers of one prediction
_HERE = Path(__file__).parent
_component = st.components.v2.component(
    "softmerge_progress",
    html='<span class="sm-progress" hidden></span>',
    js=(_HERE / "progress.js").read_text(encoding="utf-8"),
)


class Progress(NamedTuple):
    """``step``: the last one reached, 0 for the question; ``said``: the prediction, one number or a curve's.

    Nothing was said where that is empty; None: the browser knows.
    """

    step: int = 0
    done: bool = False
    said: tuple[float, ...] | None = None


def progress() -> dict[str, Progress]:
    """How far the reader has come in each lesson that was begun, by its name."""
    known: dict[str, Progress] = st.session_state.setdefault(_KNOWN, {})
    if not st.session_state.get(_FORGET):
        told = _told((st.session_state.get(KEY) or {}).get("kept"))
        for name, kept in told.items():
            here = known.get(name, kept)
            known[name] = here._replace(done=here.done or kept.done, said=kept.said if here.said is None else here.said)
    return dict(known)


def note(name: str, **changes: Any) -> None:
    """Note what has changed in a lesson; the browser is told when the page is drawn."""
    known = progress()
    changed = known.get(name, Progress())._replace(**changes)
    st.session_state[_KNOWN] = known | {name: changed}
    st.session_state[_FORGET] = False


def forget() -> None:
    """Forget all of it, here and in the browser."""
    st.session_state[_KNOWN], st.session_state[_FORGET] = {}, True


def keep_progress(*, ask: bool) -> None:
    """Let the browser keep what is known; ``ask``: and tell what it has kept, for which the page is drawn again."""
    known = {name: one._asdict() for name, one in progress().items()}
    data = {"known": known, "ask": ask, "forget": bool(st.session_state.get(_FORGET))}
    with st.container(key="learn-kept"):
        _component(key=KEY, data=data, on_kept_change=_nothing)


def _told(value: Any) -> dict[str, Progress]:
    """What the browser has kept; other programs may send anything, and other versions may have kept other lessons."""
    if not isinstance(value, Mapping):
        return {}
    found = {name: _one(value[name], len(lesson.steps)) for name, lesson in lessons().items() if name in value}
    return {name: one for name, one in found.items() if one is not None}


def _one(value: Any, steps: int) -> Progress | None:
    if not isinstance(value, Mapping):
        return None
    step, said = value.get("step"), value.get("said")
    if isinstance(step, bool) or not isinstance(step, int) or not 0 <= step <= steps:
        return None
    return Progress(step, value.get("done") is True, numbers(said))


def numbers(value: Any) -> tuple[float, ...]:
    """The numbers of a list that a browser sent; none where it is anything else."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > MOST:
        return ()
    if all(isinstance(one, int | float) and not isinstance(one, bool) and isfinite(one) for one in value):
        return tuple(float(one) for one in value)
    return ()


def _nothing() -> None:
    """A state key is only reported when it has a callback."""
