"""What is forced, as pieces and as a table, and the words for it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from softmerge_core.merging.forced import MOST, Forced, Start, as_forced, force_table, refused, told

TABLES = st.tuples(st.integers(1, 6), st.integers(1, 4)).flatmap(
    lambda shape: arrays(float, shape, elements=st.sampled_from([0.0, 1.0, np.nan]))
)


@given(TABLES)
def test_a_table_comes_back_from_its_pieces(table: np.ndarray) -> None:
    pieces = as_forced(table)
    np.testing.assert_array_equal(force_table(pieces, *table.shape), table)
    assert as_forced(force_table(pieces, *table.shape)) == pieces


@given(TABLES, st.integers(0, 2**16))
def test_a_part_is_refused_exactly_where_no_gate_would_be_open(table: np.ndarray, seed: int) -> None:
    value = np.random.default_rng(seed).choice([0.0, 0.5], table.shape)
    said = refused(value, table, [f"part {k}" for k in range(len(table))])
    shut = [
        k for k, row in enumerate(table) if not np.isnan(row).all() and not np.where(np.isnan(row), value[k], row).any()
    ]
    assert bool(said) == bool(shut)
    assert not shut or f"'part {shut[0]}'" in said


def start(**fields: object) -> Start:
    return Start.model_validate({"run": "r", "logits": [[0.0, 1.0], [2.0, 3.0]], "factors": [1.0, 1.0], **fields})


def test_the_origin_says_what_was_forced() -> None:
    forced = [Forced(first=0, last=1, source=1, to="shut"), Forced(first=1, last=1, source=0, to="open")]
    found = start(step=30, forced=forced, keep=True)
    assert told(found, ["Source 1", "Source 2"]) == (
        "begun with the gates of run r at step 30, 1 gate of Source 1 open and 2 gates of Source 2 shut by hand"
        ", and kept so"
    )
    assert told(start(), ["a", "b"]) == "begun with the gates of run r"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"factors": [1.0]}, "as many factors"),
        ({"logits": [[0.0, 1.0], [2.0]]}, "all of one length"),
        ({"factors": [1.0, 0.0]}, "factors above 0"),
        ({"logits": [[float("nan"), 1.0], [2.0, 3.0]]}, "finite number"),
        ({"forced": [{"first": 0, "last": 2, "source": 0, "to": "open"}]}, "expected parts 0 to 1"),
        ({"logits": [[0.0] * 2] * MOST, "factors": [1.0] * MOST}, "at most 65,536 gates"),
    ],
)
def test_a_start_that_does_not_fit_together_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        start(**fields)
