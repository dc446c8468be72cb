"""What malicious sources did to each method: two pictures of accuracy, and who is to blame."""

import html
from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from pages.shared.runs.downloads import downloads
from pages.shared.runs.panel import progress, tell_end
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import is_live
from pages.shared.show.live_plot import live_plot
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.events import AnyEvent, Blame
from softmerge_core.experiments.robustness.spec import RobustnessSpec, attack_of, has_strengths, strength_of
from softmerge_core.experiments.robustness.words import about, blame_sentence, case_rows, survival_sentence
from softmerge_core.figures.robustness import Against, blame_figure, blame_height, robustness_figure
from softmerge_core.figures.style import method_title

HEIGHT = 360  # px
NOTHING_YET = "Nothing has been attacked yet: press Start attacking, and see which methods survive."
IDLE: dict[Against, str] = {
    "malicious": "Test accuracy of each method over the number of malicious sources",
    "strength": "Test accuracy of each method over the strength of the attack",
}
BLAME_IDLE = "The mean gate of each source in a soft merge, beside what leaving that source out of the average gains"


def draw_robustness(reader: RunReader | None) -> None:
    """All that follows the run, in the same places before, during and after it."""
    spec = reader.view.spec if reader and isinstance(reader.view.spec, RobustnessSpec) else None
    with st.container(key="verdict-slot"):
        _verdict(reader, spec)
    first, second = st.columns(2, gap="medium")
    for column, against in ((first, "malicious"), (second, "strength")):
        with column:
            _lines(reader, spec, against)  # type: ignore[arg-type]
    _blame(reader)
    with st.container(key="outcome-slot"):
        if reader is not None and spec is not None:
            _numbers(reader, spec)


def _verdict(reader: RunReader | None, spec: RobustnessSpec | None) -> None:
    """The progress, what was excluded, and which methods survive."""
    if reader is None or spec is None:
        st.progress(0.0, text=NOTHING_YET)
        return
    progress(reader)
    tell_end(reader, "run")
    with st.container(border=True, gap="xsmall", key="verdict"):
        st.markdown(f"**{plain(survival_sentence(reader.events, spec, reader.view.result), 700)}**")
        st.caption(f"{plain(about(spec), 200)}. Thin lines mark this case in the pictures.")


def _lines(reader: RunReader | None, spec: RobustnessSpec | None, against: Against) -> None:
    """One of the two pictures of accuracy, under what it shows."""
    key, theme = f"against-{against}", current_theme()
    figure = None
    if reader is not None and spec is not None:
        build = partial(_figure, reader.events, spec, against, theme)
        figure = reader.drawn(key, ("score",), theme, build)
    with st.container(key=f"picture-{key}", gap="xsmall"):
        title = {"malicious": "Against their number", "strength": "Against the attack's strength"}[against]
        st.markdown(f"**{title}.** {_caption(spec, against)}")
        live_plot(figure, key=f"{key}-plot", height=HEIGHT, alt=IDLE[against], waiting=_waiting(spec, against))


def _figure(events: Sequence[AnyEvent], spec: RobustnessSpec, against: Against, theme: Any) -> Any:
    if against == "strength" and not has_strengths(spec):
        return None
    return robustness_figure(
        events,
        theme=theme,
        against=against,
        malicious=spec.malicious,
        strength=strength_of(spec),
        methods=spec.methods,
        sources=len(spec.sources),
        unit=attack_of(spec.attack).unit,
        height=HEIGHT,
    )


def _caption(spec: RobustnessSpec | None, against: Against) -> str:
    """What is held still in the picture."""
    if spec is None:
        return f"{IDLE[against]}."
    if against == "strength":
        return f"With {spec.malicious} of {len(spec.sources)} sources malicious."
    return f"Strength {strength_of(spec):g}." if attack_of(spec.attack).graded else "An attack that is done or not."


def _waiting(spec: RobustnessSpec | None, against: Against) -> str:
    if spec is None or against == "malicious" or has_strengths(spec):
        return "Drawn here while methods are attacked"
    if spec.malicious == 0:
        return "Nobody is malicious: there is no strength to vary"
    return "This attack is done or not: there is no strength to vary"


def _blame(reader: RunReader | None) -> None:
    """Which gates closed on whom, beside leave-one-out."""
    events, theme = (reader.events if reader else []), current_theme()
    blame = next((event for event in reversed(events) if isinstance(event, Blame)), None)
    figure = reader and reader.drawn("blame", ("blame",), theme, lambda: blame_figure(blame, theme=theme))
    sources = len(getattr(reader.view.spec, "sources", ())) if reader else 4
    with st.container(key="picture-blame", gap="xsmall"):
        st.markdown(f"**Who is to blame.** {plain(blame_sentence(blame), 900) if reader else BLAME_IDLE + '.'}")
        live_plot(
            figure,
            key="blame-plot",
            height=blame_height(sources),
            alt=BLAME_IDLE,
            waiting="Drawn here after a soft merge of the chosen case",
        )


def _numbers(reader: RunReader, spec: RobustnessSpec) -> None:
    """The chosen case as a table, and the spec to take along."""
    st.markdown("**The chosen case in numbers.** Points are percentage points against the best honest source.")
    st.html(_html_table(case_rows(reader.events, spec)))
    if not is_live(reader.view):
        downloads(reader)


def _html_table(rows: Sequence[tuple[str, str, str, str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in ("Method", "Test", "Points", "Note"))
    body = "".join(
        f"<tr><td>{method_title(key)}</td>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in rest) + "</tr>"
        for key, *rest in rows
    )
    return f'<table class="sm-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
