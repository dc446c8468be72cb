"""The pictures of a merge at each moment: one whole figure, and for each moment what is other than in that one."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from softmerge_core.events import AnyEvent, Boundary, Evaluation, Event, Loss, Points, Progress, Stage
from softmerge_core.experiments.merge import words
from softmerge_core.experiments.merge.kept import Kept
from softmerge_core.figures.accuracy import accuracy_figure
from softmerge_core.figures.boundary import boundary_figure
from softmerge_core.figures.compact import compact
from softmerge_core.figures.gates import gates_figure
from softmerge_core.figures.losses import losses_figure
from softmerge_core.figures.shares import shares_figure
from softmerge_core.figures.style import Theme
from softmerge_core.runs.film import Film
from softmerge_core.runs.log import read_log

THEME: Theme = "light"  # the page turns the colours into those of the other theme by itself
TALL, LOW = 300, 270  # px
Patch = list[list[Any]]  # [path, value] of each place in a figure that is other
SHARES = "The share of each source in the merged weights of each layer."
DECISIONS = "The merged network's decision at each point of the plane, under the training samples."


@dataclass
class Strip:
    """A picture through all moments. ``base``: the figure at the first; ``frames`` and ``words``: one a moment.

    ``marked``: it shows the whole run, and the page draws a line where the moment is.
    """

    key: str
    title: str
    height: int
    base: dict[str, Any]
    marked: bool = False
    frames: list[Patch] = field(default_factory=list)
    words: list[str] = field(default_factory=list)

    def at(self, places: Sequence[int]) -> dict[str, Any]:
        """The picture at some of its moments, as plain values."""
        frames = [self.frames[place] for place in places] if self.frames else []
        said = [self.words[place] for place in places]
        plain = {"key": self.key, "title": self.title, "height": self.height, "base": self.base, "marked": self.marked}
        return plain | {"frames": frames, "words": said}


def whole_log(log: Path) -> list[AnyEvent]:
    """All stages, losses and evaluations of a run, in order; raises RunError where its log cannot be read."""
    found, at = list[AnyEvent](), 0
    while (piece := read_log(log, at)).next > at:
        found += [event for event in piece.events if isinstance(event, (Stage, Loss, Evaluation, Progress))]
        at = piece.next
    return found


def strips(film: Film, places: Sequence[int], events: Sequence[Event], kept: Kept | None) -> list[Strip]:
    """The pictures of a film at the moments ``places``; ``events``: those of ``whole_log``."""
    moments = [film.at(place) for place in places]
    steps = [film.moments[place].step for place in places]
    found = [_gates(moments), _accuracy(events, steps, kept), _shares(moments)]
    if any(isinstance(event, Boundary) for moment in moments for event in moment):
        found.append(_decisions(moments))
    found.append(_losses(events, steps, kept))
    return [strip for strip in found if strip is not None]


def _moving(key: str, title: str, height: int, figures: list[dict[str, Any] | None], said: list[str]) -> Strip | None:
    """A picture that is another one at each moment; where there is none the last one stays."""
    base = next((figure for figure in figures if figure is not None), None)
    if base is None:
        return None
    strip = Strip(key, title, height, base, words=said)
    for figure in figures:
        patch = different(base, figure) if figure is not None else strip.frames[-1] if strip.frames else []
        strip.frames.append(patch)
    return strip


def _gates(moments: Sequence[Sequence[AnyEvent]]) -> Strip | None:
    figures = [gates_figure(moment, theme=THEME, height=TALL) for moment in moments]
    plain = [compact(figure, "gates") if figure else None for figure in figures]
    return _moving("gates", "Gates", TALL, plain, [words.gates_sentence(moment) for moment in moments])


def _shares(moments: Sequence[Sequence[AnyEvent]]) -> Strip | None:
    figures = [shares_figure(moment, theme=THEME, height=LOW) for moment in moments]
    plain = [compact(figure, "shares") if figure else None for figure in figures]
    return _moving("shares", "Origin of each layer", LOW, plain, [SHARES] * len(moments))


def _decisions(moments: Sequence[Sequence[AnyEvent]]) -> Strip | None:
    points = next((event for moment in moments for event in moment if isinstance(event, Points)), None)
    drawn = [[event for event in moment if isinstance(event, Boundary)] for moment in moments]
    figures = [boundary_figure([*([points] if points else []), *found], theme=THEME) for found in drawn]
    plain = [compact(figure, "decisions") if figure else None for figure in figures]
    return _moving("decisions", "Decisions", LOW, plain, [DECISIONS] * len(moments))


def _accuracy(events: Sequence[Event], steps: Sequence[int], kept: Kept | None) -> Strip | None:
    figure = accuracy_figure(events, theme=THEME, height=TALL, kept=kept)
    if figure is None:
        return None
    seen = [event for event in events if isinstance(event, (Stage, Evaluation))]
    said = [words.accuracy_sentence(_until(seen, step)) for step in steps]
    return Strip("accuracy", "Accuracy", TALL, compact(figure, "accuracy"), marked=True, words=said)


def _losses(events: Sequence[Event], steps: Sequence[int], kept: Kept | None) -> Strip | None:
    figure = losses_figure(events, theme=THEME, kept=kept)
    if figure is None:
        return None
    losses = [event for event in events if isinstance(event, Loss)]
    said = [words.losses_sentence(_until(losses, step)[-1:]) for step in steps]
    return Strip("losses", "Losses", LOW, compact(figure, "losses"), marked=True, words=said)


def _until(events: Sequence[Event], step: int) -> Sequence[Event]:
    return events[: bisect_right(events, step, key=lambda event: event.step)]


def different(base: Any, other: Any, path: tuple[str | int, ...] = ()) -> Patch:
    """[path, value] of each place in which plain values are other than those of ``base``."""
    if base == other:
        return []
    if isinstance(base, dict) and isinstance(other, dict):
        keys = list(dict.fromkeys([*base, *other]))
        return [each for key in keys for each in different(base.get(key), other.get(key), (*path, key))]
    if isinstance(base, list) and isinstance(other, list) and len(base) == len(other) and _are_records(base):
        return [
            each
            for number, pair in enumerate(zip(base, other, strict=True))
            for each in different(*pair, (*path, number))
        ]
    return [[list(path), other]]


def _are_records(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(value, dict) for value in values)
