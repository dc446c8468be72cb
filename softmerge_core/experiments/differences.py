"""Differences between methods in words: only what test samples and seeds can tell apart is called one."""

from collections.abc import Mapping, Sequence
from math import isfinite

from softmerge_core.experiments.words import listed, plural
from softmerge_core.numbers import points_text
from softmerge_core.statistics import Difference

COARSE = "This run did not keep which samples each network gets right; with that, smaller gaps could be told apart."


def gap(found: Difference, name: str) -> str:
    """A difference that is there: "4.6 points above the plain average"."""
    return f"{points_text(found.gap)} {'above' if found.gap > 0 else 'below'} {name}"


def resolution(found: Sequence[Difference]) -> str:
    """What could be told apart: " on 1,000 test samples (the smallest gap they resolve is about 1.6 points)"."""
    known = [each for each in found if isfinite(each.resolves)]
    if not known:
        return ""
    widest = max(known, key=lambda each: each.resolves)
    seeds = f" and {widest.seeds} seeds" if widest.seeds > 1 else ""
    on = f" on {widest.samples:,} test samples{seeds}" if widest.samples else f" on {plural(widest.seeds, 'seed')}"
    return f"{on} (the smallest gap they resolve is about {points_text(max(widest.resolves, 0.001))})"


def compared(name: str, found: Mapping[str, Difference]) -> str:
    """How ``name`` stands to others, in two sentences at most: what it is above or below, and what is too close."""
    apart = [gap(each, other) for other, each in found.items() if each.told_apart]
    same = [other for other, each in found.items() if each.same]
    close = {other: each for other, each in found.items() if not each.told_apart and not each.same}
    apart += [f"right on exactly the same samples as {listed(same)}"] if same else []
    first = f"{name} is {listed(apart)}." if apart else ""
    if not close:
        return first
    who = "It" if apart else name
    return f"{first} {who} cannot be told apart from {listed(list(close))}{resolution(list(close.values()))}.".strip()


def coarse(found: Sequence[Difference]) -> str:
    """A note where a gap that was not told apart might have been with sample by sample records; else ""."""
    return f" {COARSE}" if any(not each.paired and not each.told_apart for each in found) else ""
