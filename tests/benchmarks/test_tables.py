"""Numbers as the benchmarks write them."""

import pytest

from benchmarks.tables import Table, lines, milliseconds, ratio, spread


def test_a_ratio_is_the_median_over_turns_with_its_quartiles() -> None:
    others = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert ratio([1.0, 3.0, 6.0, 10.0, 15.0], others) == "2.00 (1.50 to 2.50)"
    assert ratio([3.0], [2.0]) == "1.50"


def test_turns_that_are_equally_slow_have_no_spread() -> None:
    assert ratio([2.0, 20.0, 4.0], [1.0, 10.0, 2.0]) == "2.00 (2.00 to 2.00)"


@pytest.mark.parametrize(("seconds", "text"), [([0.0012345], "1.23"), ([0.1, 0.3, 0.2], "200"), ([5.4321], "5,432")])
def test_milliseconds_are_those_of_the_median(seconds: list[float], text: str) -> None:
    assert milliseconds(seconds) == text


def test_a_spread_is_that_of_the_seeds() -> None:
    assert spread([1.0, 2.0, 3.0]) == "2.0 ± 1.0"
    assert spread([1.0]) == "1.0"


def test_a_row_is_measured_after_the_line_before_it_was_written() -> None:
    """So a long benchmark shows what it has; and what stands below a table may tell of its rows."""
    seen: list[str] = []
    rows = ([seen.append(name) or name] for name in "ab")  # type: ignore[func-returns-value]
    written = lines([Table(("name",), rows), "text"])
    assert [next(written), next(written), list(seen)] == ["| name |", "|---|", []]
    assert next(written) == "| a |"
    assert seen == ["a"]
    assert list(written) == ["| b |", "", "text"]
