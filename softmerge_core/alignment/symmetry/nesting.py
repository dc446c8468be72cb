"""Whole groups of grouped convolutions, and the units inside them, found by two traces and put together.

Each trace follows one kind of permutation only, so that its labels stay simple. Both leave the function unchanged,
and so does one after the other: first whole blocks change places, then units inside the blocks.
"""

from collections.abc import Iterator
from dataclasses import replace

from softmerge_core.alignment.symmetry.parts import Axis, Group, Inside, Place, Symmetry


def nested(whole: Symmetry, inside: Symmetry) -> Symmetry:
    """Return the groups of both traces of one network: ``whole`` moves whole blocks, ``inside`` units inside blocks."""
    known = {group.axes for group in inside.groups}
    at = {(axis.name, axis.dim, axis.start, axis.length): group for group in inside.groups for axis in group.axes}
    blocks: dict[str, Group] = {}
    for group in whole.groups:
        held = None if group.axes in known else _held(group, at)
        if held is not None:
            blocks[group.name] = replace(group, name=f"{group.name} in {group.size}", inside=held)
    groups = tuple(_ordered(inside.groups, list(blocks.values())))
    return Symmetry(groups, tuple(_places(whole, inside, blocks)))


def _held(group: Group, at: dict[tuple[str, int, int, int], Group]) -> tuple[Inside, ...] | None:
    """Return the units inside the blocks, or None if they do not fit into them."""
    axes: dict[tuple[str, ...], list[Axis]] = {}
    for axis in group.axes:
        starts = range(axis.start, axis.start + axis.length, axis.inner)
        members = [at.get((axis.name, axis.dim, start, axis.inner)) for start in starts]
        held = [member for member in members if member is not None]
        if not held:
            continue
        sizes = {member.size for member in held}
        names = tuple(member.name for member in held)
        if axis.outer > 1 or len(set(names)) < group.size or len(sizes) > 1:
            return None
        size = sizes.pop()
        axes.setdefault(names, []).append(replace(axis, size=group.size * size, inner=axis.inner // size))
    every = [name for names in axes for name in names]
    if len(every) > len(set(every)):
        return None
    return tuple(
        Inside(names, Group(f"{group.name}, {number}", own[0].size, tuple(own)))
        for number, (names, own) in enumerate(axes.items())
    )


def _ordered(inside: tuple[Group, ...], blocks: list[Group]) -> Iterator[Group]:
    """Yield all groups; one of blocks comes right before the first that is inside it."""
    waiting = list(blocks)
    for group in inside:
        outer = [block for block in waiting if any(group.name in held.names for held in block.inside)]
        waiting = [block for block in waiting if block not in outer]
        yield from (*outer, group)
    yield from waiting


def _places(whole: Symmetry, inside: Symmetry, blocks: dict[str, Group]) -> Iterator[Place]:
    """Yield the places of both; where units inside blocks are seen, all blocks are seen in one row."""
    holder = {name: held.units for block in blocks.values() for held in block.inside for name in held.names}
    seen = {(place.call, place.axis, place.start): place.group for place in inside.places}
    yield from (place for place in inside.places if place.group not in holder)
    for place in whole.places:
        if place.group in blocks:
            units = holder.get(seen.get((place.call, place.axis, place.start), ""))
            if units is None:
                yield replace(place, group=blocks[place.group].name)
            else:
                inner = place.size * place.inner // units.size
                yield replace(place, group=units.name, size=units.size, inner=inner)
