"""What happened in a merge, moment by moment, in words: stages, sources that close or open, new settings."""

from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from softmerge_core.events import Gates, Stage
from softmerge_core.experiments.merge.rows import blocks
from softmerge_core.experiments.words import clipped, listed

MOST = 60  # happenings of one run; of more the first are told
FEW = 3  # layers that are named; more are counted


class Happening(NamedTuple):
    """What was first seen at the moment ``place`` of a film, which is ``step`` of the run."""

    place: int
    step: int
    words: str


def happenings(
    moments: Iterable[tuple[int, tuple[Stage, Gates] | None]], changes: Iterable[tuple[int, str]] = ()
) -> list[Happening]:
    """Return what changed between one moment and the next. ``moments``: place, and stage and gates (None: damaged).

    ``changes``: step and words of what the reader has changed.
    """
    found: list[Happening] = []
    left = deque(changes)
    stage, before = None, None
    for place, moment in moments:
        if moment is None:
            continue
        now, gates = moment
        while left and left[0][0] <= gates.step:
            found.append(Happening(place, *left.popleft()))
        closed = _closed(now, gates)
        if stage is None or now.stage != stage.stage:
            said = f"{now.title} begin" if stage is None else f"from {stage.title} to {now.title}"
            found.append(Happening(place, gates.step, said))
        elif before is not None:
            found += [Happening(place, gates.step, words) for words in _changes(now, before, closed)]
        stage, before = now, closed
    return found[:MOST]


def _closed(stage: Stage, gates: Gates) -> dict[str, np.ndarray]:
    """For each layer, [sources]: whether all gates of the source in it are closed."""
    owners = stage.groups if len(stage.groups) == len(stage.parts) else stage.parts
    shut = np.asarray(gates.value, dtype=float) <= 0
    if gates.closed and stage.sizes:
        shut = np.asarray(gates.closed) >= np.asarray(stage.sizes)[:, None]
    return {name: np.asarray(shut[first : last + 1].all(0)) for name, first, last in blocks(owners)}


def _changes(stage: Stage, before: dict[str, np.ndarray], now: dict[str, np.ndarray]) -> list[str]:
    """A phrase for each source that was closed, or opened again, in some layers."""
    phrases = []
    for number, source in enumerate(stage.sources):
        for state, word in ((True, "closed"), (False, "opened again")):
            layers = [name for name in now if name in before and now[name][number] == state != before[name][number]]
            if layers:
                everywhere = state and all(shut[number] for shut in now.values())
                where = "everywhere" if everywhere else f"in {_layers(layers)}"
                phrases.append(f"{clipped(source, 40)} {word} {where}")
    return phrases


def _layers(names: list[str]) -> str:
    return listed(names) if len(names) <= FEW else f"{len(names)} layers"
