"""Labels of axes while a network is traced: the permutable units that lie along an axis, and their layout.

Axes are unified as in type inference: every parameter axis begins as a group of units of its own, and each operation
that is understood tells which groups must be one. An operation that is not understood pins its groups, so that they
are never permuted.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import prod


class Units:
    """A set of ``size`` units that are permuted together; it is ``bound`` once it is known to consist of others."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.bound: Label = None
        self.is_bound = False
        self.pinned = False


@dataclass(frozen=True)
class Segment:
    """A part of an axis that holds ``units`` in the order [outer, units, inner]; None for positions that must stay."""

    units: Units | None
    outer: int
    size: int
    inner: int

    @property
    def length(self) -> int:
        """The number of positions along the axis."""
        return self.outer * self.size * self.inner


# None is for positions that must stay; UNIFORM for an axis of length 1, which matches any other.
Label = tuple[Segment, ...] | None
UNIFORM: Label = ()


def fresh(size: int) -> Label:
    """Return the label of an axis with new units of its own."""
    return UNIFORM if size == 1 else (Segment(Units(size), 1, size, 1),)


def repeated(units: Label, outer: int, inner: int = 1) -> Label:
    """Return an axis that holds the one segment of ``units`` ``outer`` times, each unit ``inner`` positions long."""
    if not units:
        return None
    segment = units[0]
    return (Segment(segment.units, outer, segment.size, inner),)


def resolve(label: Label) -> Label:
    """Return the label in terms of groups that are not bound, or None if nothing in it can move."""
    if not label:
        return label
    parts: list[Segment] = []
    for segment in label:
        parts += _resolved(segment)
    if all(part.units is None for part in parts):
        return None
    return tuple(parts)


def _resolved(segment: Segment) -> list[Segment]:
    units = segment.units
    if units is None or units.pinned:
        return [Segment(None, 1, segment.length, 1)]
    if not units.is_bound:
        return [segment]
    inside = resolve(units.bound)
    units.bound = inside or units.bound  # makes the next look-up shorter
    if not inside:
        return [Segment(None, 1, segment.length, 1)]
    if segment.outer == 1:
        return [replace(part, inner=part.inner * segment.inner) for part in inside]
    if len(inside) == 1:
        part = inside[0]
        return [Segment(part.units, segment.outer * part.outer, part.size, part.inner * segment.inner)]
    pin(inside)
    return [Segment(None, 1, segment.length, 1)]


def pin(label: Label) -> None:
    """Keep everything along this axis where it is."""
    for segment in label or ():
        if segment.units is not None:
            segment.units.pinned = True
            pin(segment.units.bound)


def pin_all(labels: Iterable[Label]) -> None:
    """Pin each of ``labels``."""
    for label in labels:
        pin(label)


def length(label: Label) -> int | None:
    """Return the number of positions along the axis, or None if the label does not tell."""
    return sum(segment.length for segment in label) if label else None


def _atom(label: Label) -> Units | None:
    """Return the group of an axis that consists of exactly one group, once; otherwise None."""
    if label and len(label) == 1 and label[0].outer == label[0].inner == 1:
        return label[0].units
    return None


def unify(first: Label, second: Label) -> Label:
    """Return the label of two axes that must be permuted alike; if that is impossible, both are pinned."""
    first, second = resolve(first), resolve(second)
    if UNIFORM in (first, second):
        return second if first == UNIFORM else first
    if first is None or second is None:
        pin_all((first, second))
        return None
    if first == second:
        return first
    if length(first) == length(second):
        for one, other in ((first, second), (second, first)):
            atom = _atom(one)
            if atom is not None and all(segment.units is not atom for segment in other):
                atom.bound, atom.is_bound = other, True
                return other
        if _same_layout(first, second):
            for a, b in zip(first, second, strict=True):
                _unify_segment(a, b)
            return resolve(first)
    pin_all((first, second))
    return None


def _same_layout(first: tuple[Segment, ...], second: tuple[Segment, ...]) -> bool:
    layouts = [tuple((s.outer, s.size, s.inner) for s in label) for label in (first, second)]
    return layouts[0] == layouts[1]


def _unify_segment(first: Segment, second: Segment) -> None:
    if first.units is second.units:
        return
    one: Label = (Segment(first.units, 1, first.size, 1),) if first.units else None
    other: Label = (Segment(second.units, 1, second.size, 1),) if second.units else None
    unify(one, other)


def joined(labels: list[Label], sizes: list[int]) -> Label:
    """Return the label of several axes laid end to end."""
    parts: list[Segment] = []
    for label, size in zip(labels, sizes, strict=True):
        known = resolve(label)
        parts += known if known else (Segment(None, 1, size, 1),)
    return tuple(parts) if any(part.units for part in parts) else None


def reshaped(labels: list[Label], before: tuple[int, ...], after: tuple[int, ...]) -> list[Label]:
    """Return the labels of the axes ``after`` a reshape of axes ``before``; what cannot be followed is pinned."""
    if prod(before) == 0 or prod(before) != prod(after):
        pin_all(labels)
        return [None] * len(after)
    result: list[Label] = []
    i = j = 0
    while i < len(before) or j < len(after):
        end_i, end_j = _block(before, after, i, j)
        result += _reshaped_block(labels[i:end_i], before[i:end_i], after[j:end_j])
        i, j = end_i, end_j
    return result


def _block(before: tuple[int, ...], after: tuple[int, ...], i: int, j: int) -> tuple[int, int]:
    """Return the ends of the shortest runs of axes, starting at ``i`` and ``j``, that hold equally many positions."""
    if i < len(before) and before[i] == 1:
        return i + 1, j
    if j < len(after) and after[j] == 1:
        return i, j + 1
    end_i, end_j = i + 1, j + 1
    while prod(before[i:end_i]) != prod(after[j:end_j]):
        if prod(before[i:end_i]) < prod(after[j:end_j]):
            end_i += 1
        else:
            end_j += 1
    return end_i, end_j


def _reshaped_block(labels: list[Label], before: tuple[int, ...], after: tuple[int, ...]) -> list[Label]:
    known = [resolve(label) for label in labels]
    if not after:
        return []
    if not before:
        return [UNIFORM] * len(after)
    moving = [index for index, label in enumerate(known) if label]
    if not moving:
        return [UNIFORM if size == 1 else None for size in after]
    if len(before) == len(after) == 1:
        return known
    if len(moving) == 1:
        merged = _merged(known[moving[0]], moving[0], before)
        split = _split(merged, after) if merged else None
        if split is not None:
            return split
    pin_all(known)
    return [None] * len(after)


def _merged(label: Label, index: int, before: tuple[int, ...]) -> Label:
    """Return the label of all axes of ``before`` flattened into one, if only the axis at ``index`` has a label."""
    outer, inner = prod(before[:index]), prod(before[index + 1 :])
    assert label
    if outer == 1:
        return tuple(replace(segment, inner=segment.inner * inner) for segment in label)
    if len(label) > 1:
        return None
    segment = label[0]
    return (Segment(segment.units, outer * segment.outer, segment.size, segment.inner * inner),)


def _split(label: Label, after: tuple[int, ...]) -> list[Label] | None:
    """Return the labels of one axis unflattened into ``after``, or None if that cuts through units."""
    assert label
    if len(after) == 1:
        return [label]
    for index, size in enumerate(after):
        outer, inner = prod(after[:index]), prod(after[index + 1 :])
        if outer == 1 and all(segment.inner % inner == 0 for segment in label) and inner > 1:
            first: Label = tuple(replace(segment, inner=segment.inner // inner) for segment in label)
            return [*([UNIFORM] * index), first, *(None if n > 1 else UNIFORM for n in after[index + 1 :])]
        segment = label[0]
        fits = segment.outer % outer == 0 and segment.inner % inner == 0
        if len(label) == 1 and fits and (segment.outer // outer) * segment.size * (segment.inner // inner) == size:
            own: Label = (Segment(segment.units, segment.outer // outer, segment.size, segment.inner // inner),)
            return [own if n == index else (None if m > 1 else UNIFORM) for n, m in enumerate(after)]
    return None
