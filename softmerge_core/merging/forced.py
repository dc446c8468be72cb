"""Gates that are forced open or shut by hand, and a merge that begins with them. Loads no torch."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator

from softmerge_core.errors import SettingsError
from softmerge_core.numbers import same_length
from softmerge_core.settings import Frozen, setting

To = Literal["shut", "open"]
MOST = 2**16  # gates of a merge that another one can begin with: they are written into its spec one by one
VALUES: dict[str, float] = {"shut": 0.0, "open": 1.0, "learned": np.nan}


class Forced(Frozen):
    """The gates of one source (its number, from 0 on) in the parts from ``first`` to ``last`` that are forced."""

    first: int = Field(ge=0, lt=2**31, description="The first part, by its place in the table of gates, from 0 on.")
    last: int = Field(ge=0, lt=2**31, description="The last part.")
    source: int = Field(ge=0, lt=2**31, description="The source, from 0 on.")
    to: To = Field(description="Whether its gates are forced shut or open.")


class Start(Frozen):
    """The gates that a merge begins with: those of another run, some of them ``forced`` by hand.

    ``logits`` are [part][source], log alpha as it was learned there; ``factors`` has the factor of each part.
    Forced gates begin just beyond the edge from which they are exactly shut or open, and may move, unless ``keep``.
    """

    run: str = Field(max_length=100, description="The id of the run whose gates these are.")
    step: int | None = Field(None, ge=0, lt=2**31, description="Its step; none: the network that it kept.")
    forced: tuple[Forced, ...] = Field((), description="The gates that were forced by hand.")
    keep: bool = setting(False, "Keep forced gates", "Gates forced by hand stay so; else training may move them.")
    logits: tuple[tuple[float, ...], ...] = Field(min_length=1, description="Log alpha, [part][source].")
    factors: tuple[float, ...] = Field(min_length=1, description="The factor of each part, above 0.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.logits[0] or not same_length(*self.logits) or not same_length(self.logits, self.factors):
            raise ValueError("expected a row of logits for each part, all of one length, and as many factors")
        if len(self.logits) * len(self.logits[0]) > MOST:
            raise ValueError(f"expected at most {MOST:,} gates, got {len(self.logits) * len(self.logits[0]):,}")
        if not all(factor > 0 for factor in self.factors):
            raise ValueError("expected factors above 0")
        try:
            force_table(self.forced, len(self.logits), len(self.logits[0]))
        except SettingsError as error:
            raise ValueError(str(error)) from error
        return self


def force_table(forced: Iterable[Forced], parts: int, sources: int) -> np.ndarray:
    """The forced gates as a table [parts, sources]: 0 shut, 1 open, NaN as learned; of two the later one holds.

    Raises SettingsError for parts and sources that are not there.
    """
    table = np.full((parts, sources), np.nan)
    for each in forced:
        if each.first > each.last or each.last >= parts or each.source >= sources:
            raise SettingsError(
                f"forced gates: expected parts 0 to {parts - 1} and sources 0 to {sources - 1}, "
                f"got parts {each.first} to {each.last} of source {each.source}"
            )
        table[each.first : each.last + 1, each.source] = VALUES[each.to]
    return table


def as_forced(table: np.ndarray) -> tuple[Forced, ...]:
    """The inverse of ``force_table``: the same table in as few pieces as it has, source by source."""
    found: list[Forced] = []
    for source, column in enumerate(np.nan_to_num(table, nan=-1.0).T):
        edges = [0, *(np.flatnonzero(np.diff(column)) + 1).tolist(), len(column)]
        for first, end in pairwise(edges):
            if end > first and column[first] >= 0:
                to: To = "open" if column[first] else "shut"
                found.append(Forced(first=first, last=end - 1, source=source, to=to))
    return tuple(found)


def refused(value: np.ndarray, table: np.ndarray, parts: Sequence[str]) -> str:
    """Why gates with these learned values [parts, sources] cannot be forced so, in a sentence; "" where they can.

    A part whose gates are all shut would be a mixture of nothing.
    """
    gates = np.where(np.isnan(table), value, table)
    closed = np.flatnonzero((gates == 0).all(1) & ~np.isnan(table).all(1))
    if not len(closed):
        return ""
    more = f" and of {len(closed) - 1:,} more" if len(closed) > 1 else ""
    return (
        f"every gate of {parts[int(closed[0])]!r}{more} would be shut, expected one open in each part: "
        "there would be nothing to mix; open another source there first"
    )


def told(start: Start, sources: Sequence[str]) -> str:
    """Where the gates that a merge begins with come from, and what was forced: "... 3 gates of Source 2 shut"."""
    table = force_table(start.forced, len(start.logits), len(start.logits[0]))
    each = [(k, name, to) for k, name in enumerate(sources) for to in ("open", "shut")]
    counts = [(int((table[:, k] == VALUES[to]).sum()), name, to) for k, name, to in each]
    forced = [f"{count:,} gate{'' if count == 1 else 's'} of {name} {to}" for count, name, to in counts if count]
    step = "" if start.step is None else f" at step {start.step:,}"
    kept = ", and kept so" if start.keep else ""
    how = f", {' and '.join(forced)} by hand{kept}" if forced else ""
    return f"begun with the gates of run {start.run}{step}{how}"
