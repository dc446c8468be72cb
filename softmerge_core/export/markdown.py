"""Model cards as Markdown: tables, and the names that people chose, shown letter by letter wherever it is read."""

import json
import re
from collections.abc import Sequence

from softmerge_core.experiments.words import clipped
from softmerge_core.numbers import usual_spaces

LONGEST = 200  # letters of a name
# Only what has a meaning where it stands, so that the file is easy to read as it is: marks, what some readers make
# links or signs of (addresses, people, :smile:), and what begins a list or a line at the start of a text.
_MARKS = re.compile(r"([\\`*_\[\]#|<>~$^&{}]|[:@](?=\S)|(?<=[wW]{3})\.|^[-+=])")
_NUMBER = re.compile(r"^(\d+)([.)])(?=\s|$)")


def said(text: str, limit: int = LONGEST) -> str:
    """A person's text as Markdown that shows it letter by letter, on one line, without invisible letters."""
    line = usual_spaces(clipped(_visible(text), limit))
    return _NUMBER.sub(r"\1\\\2", _MARKS.sub(r"\\\1", line))


def told(text: str) -> str:
    """A sentence of the engine's own, which may hold names, as Markdown."""
    return said(text, 2000)


def code(text: str) -> str:
    """A name that is not a person's, such as a hash, set as code."""
    return f"`{re.sub(r'[^A-Za-z0-9 _./:,=+-]', '?', text)}`"


def yaml_text(text: str, limit: int = LONGEST) -> str:
    """A person's text as a quoted value of YAML, which it cannot leave."""
    return json.dumps(usual_spaces(clipped(_visible(text), limit)), ensure_ascii=False)


def _visible(text: str) -> str:
    """``text`` with the codes of letters that print nothing, as those that turn the direction of reading."""
    plain = " ".join(usual_spaces(text).split())
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in plain)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def front_matter(fields: Sequence[tuple[str, str | Sequence[str]]]) -> str:
    """The YAML at the beginning of a card; single values are quoted, lists are of plain words."""
    lines = [
        f"{name}: {yaml_text(value)}" if isinstance(value, str) else "\n".join([f"{name}:", *(f"- {v}" for v in value)])
        for name, value in fields
    ]
    return "\n".join(["---", *lines, "---"])


def page(*blocks: str) -> str:
    """Blocks with an empty line between them; empty ones are left out."""
    return "\n\n".join(block.strip("\n") for block in blocks if block.strip()) + "\n"
