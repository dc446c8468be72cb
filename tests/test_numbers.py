"""Numbers as they are written down: JSON has no NaN, and logs need few digits."""

import math
import re
from pathlib import Path
from typing import Any

import pytest

from softmerge_core.numbers import finite, percent_text, rounded, significant


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (math.nan, None),
        (-math.inf, None),
        (1.5, 1.5),
        (7, 7),
        ("nan", "nan"),
        ({"a": [math.inf, 2], 3: (math.nan, {"b": 0.0})}, {"a": [None, 2], "3": [None, {"b": 0.0}]}),
    ],
)
def test_numbers_that_are_not_finite_become_none(values: Any, expected: Any) -> None:
    assert finite(values) == expected


def test_six_digits_are_kept_unless_told_otherwise() -> None:
    assert significant(123456.789) == 123457
    assert significant(0.000123456789, 2) == 0.00012
    assert rounded([1 / 3, -2e-9 / 3, 1e300]) == (0.333333, -6.66667e-10, 1e300)
    assert rounded([1 / 3], digits=2) == (0.33,)
    assert math.isnan(significant(math.nan))
    assert significant(-math.inf) == -math.inf


def test_percent_is_written_in_one_way() -> None:
    assert [percent_text(share, digits) for share, digits in ((0.4, 0), (1.0, 0), (0.1234, 1))] == [
        "40 %",
        "100 %",
        "12.3 %",
    ]
    root = Path(__file__).parents[1]
    raw = re.compile(r":,?\.\d%\}")
    files = [path for room in ("softmerge_core", "pages") for path in (root / room).rglob("*.py")]
    assert files
    assert [str(path) for path in files if raw.search(path.read_text(encoding="utf-8"))] == []
