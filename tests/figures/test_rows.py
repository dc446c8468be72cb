"""Rows of values: the note under their axis."""

import re

import pytest

from softmerge_core.figures.rows import BRIEF, LONG, noted

NOTE = "Bars: 95\u00a0% interval, n = 1,000 test samples and 3 seeds where a method is random"


@pytest.mark.parametrize("note", ["", "Bars: 95\u00a0% interval", NOTE])
def test_a_note_is_whole_in_lines_that_fit(note: str) -> None:
    for text, letters in zip(noted("Accuracy (%)", note), (LONG, BRIEF), strict=True):
        title, *lines = re.sub("</?span[^>]*>", "", text).split("<br>")
        assert (title, " ".join(lines)) == ("Accuracy (%)", note)
        assert all(len(line) <= letters for line in lines)
        assert len(lines) < 2 or len(lines[-1]) > letters / 3  # no single word on a line of its own
