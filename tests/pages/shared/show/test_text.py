"""User text comes out of Markdown as it went in."""

import math

import pytest

from pages.shared.show.text import html_table, plain
from softmerge_core.experiments.words import percent, sentence


@pytest.mark.parametrize("mark", ["**b**", "<i>x</i>", "[a](b)", "$x$", "`c`", ":red[x]", ":smile:", "# t", "~~s~~"])
def test_no_markup_is_left(mark: str) -> None:
    shown = plain(mark)
    for start in ("**", "<i", "[a", "$x", "`c", ":r", ":s", "# ", "~~s"):
        if mark.startswith(start):
            assert not shown.startswith(start)
    assert shown.replace("\\", "").replace("\u2060", "") == mark


def test_ordinary_colons_are_left_alone() -> None:
    assert plain("Expected: two") == "Expected: two"


def test_long_text_is_cut_and_empty_text_is_named() -> None:
    assert len(plain("x" * 300, 40)) == 40
    assert plain("  \n ") == "\\(no name\\)"


def test_percent_and_sentence() -> None:
    assert percent(0.8465) == "84.7\u00a0%"
    assert percent(None) == percent(math.nan) == "unknown"
    assert sentence("no source is left") == "No source is left."
    assert sentence("Really?") == "Really?"


def test_cells_of_a_table_are_shown_letter_by_letter() -> None:
    assert "<td>&lt;b&gt;</td>" in html_table(["x"], [["<b>"]])
