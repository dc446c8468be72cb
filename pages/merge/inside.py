"""What the merged network does, below its outcome: the samples it gains and loses, its mistakes, its confidence."""

from collections.abc import Sequence

import streamlit as st

from pages.merge.inside_pictures import ERRORS, PAGE, RELIABILITY, gallery, matrix_pictures, places_of
from pages.merge.predicted import Inside, compute_button, inside_of
from pages.shared.choose.form import one_of
from pages.shared.choose.linked import linked, unlink
from pages.shared.runs.picture import draw_row
from pages.shared.runs.reader import RunReader
from pages.shared.show.page_state import beside
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.errors import SoftMergeError
from softmerge_core.events import BEST
from softmerge_core.experiments.merge.inside import (
    AVERAGE,
    ENSEMBLE,
    SOFT,
    called,
    changes_sentence,
    legend_sentence,
    samples_of,
)
from softmerge_core.experiments.words import sentence
from softmerge_core.figures.answers import glyph_of

PARTNER, NETWORK, CELLS = "inside-partner", "inside-network", "inside-cells"
SHARES, COUNTS = "Shares", "Samples"
FROM = {True: "inside-gained", False: "inside-lost"}  # in links: the number of the first sample that is shown, less one


def inside(reader: RunReader) -> None:
    """Draw what the network of a run with a result does; nothing before."""
    if not reader.view.result:
        return
    st.header("What the merged network does", anchor=False)
    try:
        known = inside_of(reader)
    except SoftMergeError as error:
        st.warning(plain(sentence(str(error)), 400), icon=":material/broken_image:")
        return
    if known is None:
        compute_button(reader)
        return
    others = [AVERAGE, BEST, ENSEMBLE, *(f"source:{place}" for place in known.found.sources)]
    partner = _choose("Compared with", others, known, PARTNER, "The network that the merged one is set beside here.")
    told = changes_sentence(known.found, partner, known.sources) + samples_of(reader.view.result, known.found)
    st.markdown(plain(told, 400))
    _galleries(reader, known, partner)
    _matrices(reader, known, partner, [SOFT, *others])
    draw_row(reader, RELIABILITY, ERRORS)


def _choose(label: str, networks: Sequence[str], known: Inside, key: str, about: str) -> str:
    titles = _titles(networks, known)
    return one_of(
        st.selectbox, label, list(networks), format_func=lambda name: titles.get(name, name), key=key,
        bind="query-params", persist_state="session", help=about,
    )  # fmt: skip


def _titles(networks: Sequence[str], known: Inside) -> dict[str, str]:
    """What networks are called in a list: no two alike."""
    names = {name: called(name, known.sources).removeprefix("the ") for name in networks}
    titles = {name: text[:1].upper() + text[1:] for name, text in names.items()}
    if len(set(titles.values())) < len(titles):
        titles = {name: f"{number}: {text}" for number, (name, text) in enumerate(titles.items(), 1)}
    return titles


def _galleries(reader: RunReader, known: Inside, partner: str) -> None:
    """The samples that are gained beside those that are lost, each a page at a time."""
    for gained, column in zip((True, False), st.columns(2, gap="medium"), strict=True):
        total = len(places_of(known, partner, gained=gained))
        with column:
            start = _start(total, gained=gained)
            picture, _ = gallery(known, partner, start, gained=gained)
            picture.draw(reader, partner=partner, start=start, gained=gained)
            _pager(start, total, gained=gained)
    glyphs = glyph_of(SOFT, current_theme()), glyph_of(partner, current_theme())
    st.caption(plain(legend_sentence(known.found, partner, known.sources, glyphs), 600))


def _start(total: int, *, gained: bool) -> int:
    """The number of samples before the first one that is shown, as was chosen here or as the link asks."""
    name = FROM[gained]
    asked = next(iter(linked(name)), "")
    if asked:
        unlink(name)
        st.session_state[name] = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 10 else 0
    last = max(0, total - 1) // PAGE * PAGE
    start = min(int(st.session_state.get(name, 0)) // PAGE * PAGE, last)
    beside(name, [str(start)] if start else [])
    return start


def _pager(start: int, total: int, *, gained: bool) -> None:
    """Buttons to the samples before and after those that are shown."""
    if total <= PAGE:
        return
    name = FROM[gained]
    with st.container(horizontal=True, gap="small", key=f"{name}-pager"):
        st.button(
            f"Back {PAGE}", icon=":material/chevron_left:", key=f"{name}-back", disabled=start == 0, on_click=_turn,
            args=(name, start - PAGE), help="Shows the samples before these.",
        )  # fmt: skip
        left = min(PAGE, total - start - PAGE)
        st.button(
            f"Next {left}" if left > 0 else f"Next {PAGE}", icon=":material/chevron_right:", key=f"{name}-next",
            disabled=left <= 0, on_click=_turn, args=(name, start + PAGE), help="Shows the samples after these.",
        )  # fmt: skip


def _turn(name: str, start: int) -> None:
    st.session_state[name] = max(0, start)


def _matrices(reader: RunReader, known: Inside, partner: str, networks: Sequence[str]) -> None:
    """The confusion matrix of the chosen network, and where it differs from the partner's."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        network = _choose("Mistakes of", networks, known, NETWORK, "The network whose confusion matrix is drawn.")
        cells = one_of(
            st.segmented_control, "Cells", [SHARES, COUNTS], key=CELLS, bind="query-params", persist_state="session",
            help="Shares of each true class, or numbers of test samples.",
        )  # fmt: skip
    shares = cells != COUNTS
    own, against = matrix_pictures(known, network, partner, shares=shares)
    first, second = st.columns(2, gap="medium")
    with first:
        own.draw(reader, network=network, shares=shares)
    with second:
        against.draw(reader, network=network, partner=partner, shares=shares)
