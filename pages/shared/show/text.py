"""User text as the pages write it: shown letter by letter, whatever markup it holds."""

import html
import re
from collections.abc import Sequence

from softmerge_core.experiments.words import clipped

_MARKS = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$^=&])")
_COLON = re.compile(r":(?=\S)")
_JOINER = "\u2060"  # invisible: parts a colon from its word, so that neither emoji nor directive comes of it


def plain(text: str, limit: int = 80) -> str:
    """User text as Markdown that shows it letter by letter, on one line of at most ``limit`` letters."""
    return _MARKS.sub(r"\\\1", _COLON.sub(f":{_JOINER}", clipped(text, limit)))


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A small table whose cells are shown letter by letter; a dataframe widget would load longer than the page."""
    top = "".join(f"<th>{html.escape(name)}</th>" if name else "<td></td>" for name in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="sm-table"><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>'
