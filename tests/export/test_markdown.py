"""Text that a person chose is text in a card, whatever it holds, and a usual name stays easy to read."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from softmerge_core.export.markdown import code, front_matter, said, yaml_text
from tests.export.subjects import EVIL

READER = MarkdownIt("gfm-like", {"html": True, "linkify": False})
PIECES = [
    *(
        "*",
        "_",
        "`",
        "<b>",
        "</",
        "[",
        "](",
        "!",
        "#",
        "$",
        "|",
        "\\",
        "~~",
        "---",
        "1. ",
        "123) ",
        "- ",
        "+ ",
        "=",
        "> ",
    ),
    *("&amp;", "\n", "\r", "\t", "x", " ", ":", "http://a.b", "@me", "www.a.b", "]: "),
    *("\x00", "\x85", "\u2028", "\u202e"),
]
TEXTS = st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=12).map("".join))


@pytest.mark.parametrize(
    "name", ["mnist1d-cnn-shared-trunk/source-1", "0.002", "r1.safetensors", "Source 1, signs flipped (50 %)", "won: 3"]
)
def test_usual_names_are_written_as_they_are(name: str) -> None:
    assert said(name) == name


@given(TEXTS)
def test_a_name_is_one_run_of_plain_text_wherever_it_stands(text: str) -> None:
    for where in ("{}", "# {}", "- {}", "| a |\n| --- |\n| {} |"):
        markdown = where.format(said(text))
        inner = [child for token in READER.parse(markdown) for child in token.children or []]
        assert {child.type for child in inner} <= {"text", "text_special"}, markdown
        blocks = [token.type for token in READER.parse(markdown)]
        assert blocks == [token.type for token in READER.parse(where.format("word"))], markdown


@given(TEXTS)
def test_a_value_of_the_front_matter_cannot_leave_its_quotes(text: str) -> None:
    matter = front_matter([("first", text), ("tags", ["a", "b"])])
    lines = matter.splitlines()
    assert [lines[0], *lines[2:]] == ["---", "tags:", "- a", "- b", "---"]
    found = yaml.safe_load("\n".join(lines[1:-1]))
    assert set(found) == {"first", "tags"}
    assert isinstance(found["first"], str)


def test_letters_that_print_nothing_are_told_by_their_codes() -> None:
    assert "\\u202e" in yaml_text("a\u202eb").replace("\\\\", "\\")
    assert said("a\u202eb") == "a\\\\u202eb"
    assert len(said(EVIL * 100, 50)) < 120


def test_code_cannot_be_closed_from_inside() -> None:
    assert code("a`b|c\nd") == "`a?b?c?d`"
