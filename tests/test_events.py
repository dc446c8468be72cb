"""Events go out as one JSON line and come back equal; anything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softmerge_core.events import Boundary, Evaluation, Event, Gates, Loss, Notice, Points, Progress, Stage, parse_event

TEXT = st.text(max_size=20)
NUMBERS = st.floats(allow_nan=False)

EVENTS = st.one_of(
    st.builds(Stage, step=st.integers(0, 9), stage=TEXT, title=TEXT, parts=st.tuples(TEXT), sources=st.tuples(TEXT)),
    st.builds(Progress, step=st.integers(0, 9), total=st.integers(0, 99)),
    st.builds(Gates, step=st.integers(0, 9), stage=TEXT, probability=st.just(((0.5,),)), value=st.just(((1.0,),))),
    st.builds(Loss, step=st.integers(0, 9), series=TEXT, task=NUMBERS, penalty=NUMBERS, total=NUMBERS),
    st.builds(Evaluation, step=st.integers(0, 9), series=TEXT, split=st.just("test"), accuracy=NUMBERS, loss=NUMBERS),
    st.builds(
        Boundary,
        step=st.just(0),
        series=TEXT,
        extent=st.just((0.0, 1.0, 0.0, 1.0)),
        size=st.just(1),
        classes=st.just((0,)),
    ),
    st.builds(Points, step=st.just(0), x=st.just((0.5,)), y=st.just((0.5,)), labels=st.just((1,))),
    st.builds(Notice, step=st.just(0), text=TEXT),
)


@given(EVENTS)
def test_out_and_in_again(event: Event) -> None:
    line = event.model_dump_json()
    assert "\n" not in line
    assert parse_event(line) == event


@pytest.mark.parametrize("line", ["", "{", "[]", '{"kind":"song","step":0}', '{"kind":"progress","step":-1,"total":1}'])
def test_anything_else_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="validation error"):
        parse_event(line)
