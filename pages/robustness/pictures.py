"""The pictures of an attack: accuracy against the number of malicious sources and their strength, and the blame."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

import plotly.graph_objects as go

from pages.shared.runs.picture import Behind, Picture, draw_row
from pages.shared.runs.reader import RunReader
from pages.shared.show.text import plain
from softmerge_core.events import Blame, newest
from softmerge_core.experiments import Spec
from softmerge_core.experiments.robustness import words
from softmerge_core.experiments.robustness.spec import RobustnessSpec, attack_of, has_strengths, strength_of
from softmerge_core.figures.robustness import Against, blame_figure, blame_height, robustness_figure
from softmerge_core.figures.style import Theme

HEIGHT = 360  # px
SOURCES = 4  # rows of sources before the first run


def robustness_pictures(reader: RunReader | None) -> None:
    """Draw all pictures of a run, or their empty places before the first run."""
    spec = spec_of(reader) if reader else None
    strength = STRENGTH if spec is None or has_strengths(spec) else replace(STRENGTH, waiting=words.no_strengths(spec))
    draw_row(reader, NUMBER, strength)
    BLAME.draw(reader, height=blame_height(len(spec.sources) if spec else SOURCES))


def spec_of(reader: RunReader) -> RobustnessSpec:
    """The spec of an attack's run."""
    return cast("RobustnessSpec", reader.view.spec)


def _lines(reader: RunReader, theme: Theme, against: Against) -> go.Figure | None:
    spec = spec_of(reader)
    if against == "strength" and not has_strengths(spec):
        return None
    return robustness_figure(
        reader.events,
        theme=theme,
        against=against,
        malicious=spec.malicious,
        strength=strength_of(spec),
        methods=spec.methods,
        sources=len(spec.sources),
        unit=attack_of(spec.attack).unit,
        height=HEIGHT,
    )


def _other_sources(shown: Spec, pinned: Spec) -> str:
    """Why accuracies over the number of malicious sources are not comparable, if they are not."""
    mine, theirs = (len(cast("RobustnessSpec", spec).sources) for spec in (shown, pinned))
    return "" if mine == theirs else f"it has {theirs} sources instead of {mine}"


def _other_attack(shown: Spec, pinned: Spec) -> str:
    """Why accuracies over the strength of an attack are not comparable, if they are not."""
    mine, theirs = (cast("RobustnessSpec", spec) for spec in (shown, pinned))
    if mine.attack != theirs.attack:
        return "its attack is another one, whose strengths mean something else"
    return "" if has_strengths(theirs) else "its attack has no strengths"


def _blame(reader: RunReader, theme: Theme) -> go.Figure | None:
    return blame_figure(newest(reader.events, Blame), theme=theme)


def _fixed(sentence: Callable[[RobustnessSpec], str]) -> Callable[[RunReader], str]:
    """The words under a picture of accuracy: what stays the same in it."""
    return lambda reader: plain(sentence(spec_of(reader)), 200)


NUMBER = Picture(
    key="against-malicious",
    title="Against their number",
    idle="Test accuracy of each method over the number of malicious sources.",
    kinds=("score",),
    build=partial(_lines, against="malicious"),
    words=_fixed(words.strength_sentence),
    height=HEIGHT,
    waiting="Drawn here while methods are attacked",
    missing="",  # the words and the text in the chart's place say enough
    behind=Behind(apart=_other_sources),
)
STRENGTH = replace(
    NUMBER,
    key="against-strength",
    title="Against the attack's strength",
    idle="Test accuracy of each method over the strength of the attack.",
    build=partial(_lines, against="strength"),
    words=_fixed(words.number_sentence),
    behind=Behind(apart=_other_attack),
)
BLAME = Picture(
    key="blame",
    terms=("z",),
    title="Who is to blame",
    idle="The mean gate of each source in a soft merge, beside what leaving that source out of the average gains.",
    kinds=("blame",),
    build=_blame,
    words=lambda reader: plain(words.blame_sentence(newest(reader.events, Blame)), 900),
    height=blame_height(SOURCES),
    waiting="Drawn here after a soft merge of the chosen case",
)
