"""The text of a link to a page: a version, and the state of the page as names, each with its texts.

What is unlike the page's usual state stands under names of its own, as in the page's address. The usual rest stands
under one name, ``usual``, so that a link shows the same state after the app's usual values have changed, and so that
none of it is a step of the browser's history. A link without a version is one of the first.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote_plus, unquote

VERSION = 1  # of the names and their texts: whoever changes what an old name means counts on, and reads both
MARK, USUAL = "v", "usual"
SAFE = "/:;*,"  # what may stand in the query of an address as it is
_APART = re.compile("[%;=*]")  # what parts the texts of ``usual``

State = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Asked:
    """What a link asks for: ``state``, by its names; ``usual``: what was usual; ``version``: as it is written."""

    state: dict[str, list[str]] = field(default_factory=dict)
    usual: dict[str, list[str]] = field(default_factory=dict)
    version: str = str(VERSION)

    @property
    def all(self) -> dict[str, list[str]]:
        """All that it asks for; what stands under a name of its own counts."""
        return {**self.usual, **self.state}

    @property
    def newer(self) -> bool:
        """Whether it was made by an app whose names may mean something else."""
        return not (self.version.isascii() and self.version.isdigit() and 1 <= int(self.version) <= VERSION)


def query_of(state: State, usual: State) -> str:
    """The query of a link. No list of texts may be empty: one empty text stands for nothing chosen."""
    pairs = [(name, text) for name, texts in state.items() for text in texts]
    kept = [(USUAL, _packed(usual))] if usual else []
    every = [*pairs, *kept, (MARK, str(VERSION))]
    return "&".join(f"{quote_plus(name, safe=SAFE)}={quote_plus(text, safe=SAFE + '=')}" for name, text in every)


def read(query: str) -> Asked:
    """What the query of an address asks for; the inverse of ``query_of``, and of addresses without a version."""
    return read_pairs(parse_qsl(query, keep_blank_values=True))


def read_pairs(pairs: Iterable[tuple[str, str]]) -> Asked:
    """The same of a query's (name, text) pairs."""
    found: dict[str, list[str]] = {}
    for name, text in pairs:
        found.setdefault(name, []).append(text)
    version, packed = found.pop(MARK, [str(VERSION)]), found.pop(USUAL, [""])
    return Asked(found, _unpacked(packed[-1]), version[-1])


def _packed(usual: State) -> str:
    return ";".join(f"{_quoted(name)}={'*'.join(map(_quoted, texts))}" for name, texts in usual.items())


def _unpacked(text: str) -> dict[str, list[str]]:
    pairs = (part.partition("=") for part in text.split(";") if part)
    return {unquote(name): [unquote(one) for one in texts.split("*")] for name, _, texts in pairs}


def _quoted(text: str) -> str:
    return _APART.sub(lambda found: f"%{ord(found[0]):02X}", text)


def told(missed: Sequence[tuple[str, str, str]], newer: str = "", most: int = 4) -> str:
    """The sentences about what of a link was not understood, or "".

    ``missed``: (name, text, why), ``newer``: its version where that is not known; ``most``: so many are named.
    """
    named = [f"{name} “{text}”" + (f" ({why})" if why else "") for name, text, why in missed[:most]]
    more = len(missed) - len(named)
    parts = "; ".join([*named, *([f"and {more} more"] if more > 0 else [])])
    said = [f"This link is of a version that is not known here ({newer}; known: {VERSION})."] if newer else []
    if parts:
        said.append(f"Not all of this link was understood. What is here as usual instead: {parts}.")
    return " ".join(said)
