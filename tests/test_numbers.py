"""Numbers as they are written down: JSON has no NaN, and logs need few digits."""

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from softmerge_core.numbers import (
    decimal_text,
    finite,
    number_text,
    percent_text,
    points_text,
    range_text,
    rounded,
    significant,
)


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
        "40\u00a0%",
        "100\u00a0%",
        "12.3\u00a0%",
    ]
    root = Path(__file__).parents[1]
    raw = re.compile(r":,?\.\d%\}")
    files = [path for room in ("softmerge_core", "pages") for path in (root / room).rglob("*.py")]
    assert files
    assert [str(path) for path in files if raw.search(path.read_text(encoding="utf-8"))] == []


BREAKS = re.compile(r"(?:^|[0-9}]) %(?![A-Za-z(\[]|%?\{)|[0-9}] %%\{")
STORED = {"softmerge_core/zoo/recipes.py"}  # what manifests hold; shown by way of ``clipped``


def shown_strings(path: Path) -> Iterator[str]:
    """The strings of a file that are no docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.value


def test_no_line_can_end_between_a_number_and_its_percent_sign() -> None:
    root = Path(__file__).parents[1]
    files = [path for room in ("softmerge_core", "pages") for path in (root / room).rglob("*.py")]
    found = {str(path.relative_to(root)) for path in files for text in shown_strings(path) if BREAKS.search(text)}
    assert found == STORED


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (8.16e-07, 2, "8.2\u00a0×\u00a010⁻⁷"),
        (-8.16e-07, 3, "\u22128.16\u00a0×\u00a010⁻⁷"),
        (1.23e12, 3, "1.23\u00a0×\u00a010¹²"),
        (0.25, 3, "0.25"),
        (-3.0, 3, "\u22123"),
        (50.0, 6, "50"),
        (math.inf, 3, "inf"),
    ],
)
def test_powers_and_minus_signs_are_typeset(value: float, digits: int, text: str) -> None:
    assert number_text(value, digits) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1e-05, "0.00001"),
        (2.5e-07, "0.00000025"),
        (2 / 3, "0.666667"),
        (0, "0"),
        (50.0, "50"),
        (-3.5, "\u22123.5"),
        (1e6, "1,000,000"),
        (1e30, "1\u00a0×\u00a010³⁰"),
        (math.inf, "inf"),
    ],
)
def test_small_numbers_are_written_as_one_would_type_them(value: float, text: str) -> None:
    assert decimal_text(value) == text


def test_a_range_names_its_unit_once_and_is_one_number_where_its_ends_read_alike() -> None:
    assert range_text("1.02", "1.02") == "1.02"
    assert range_text("1.02", "1.05") == "1.02 to 1.05"
    assert range_text(percent_text(0.7, 1), percent_text(0.8, 1)) == "70.0 to 80.0\u00a0%"
    assert range_text(number_text(8.1e-7, 2), number_text(8.2e-7, 2)) == "8.1 to 8.2\u00a0×\u00a010⁻⁷"
    assert points_text(-0.046) == "4.6\u00a0points"
