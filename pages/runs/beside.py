"""Two to six runs side by side: the settings that differ, how good each is, their curves and their gates."""

from collections.abc import Sequence

import streamlit as st

from pages.shared.runs.panel import WORDS
from pages.shared.runs.reader import RunReader, open_run
from pages.shared.runs.services import run_store
from pages.shared.show.picture import show_picture
from pages.shared.show.table import Exact, show_table
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.beside import ABSENT, FEWEST, MOST, against_first, beside_sentence, differing, merged
from softmerge_core.experiments.words import clipped, letter, percent, sentence
from softmerge_core.figures.beside import HEIGHT, beside_gates, curves_figure, gates_height
from softmerge_core.runs.index import IndexedRun
from softmerge_core.statistics import Measured, bar

BOX = "sm-words"
KIND = "merge"  # the kind whose curves and gates are drawn over each other


def side_by_side(chosen: Sequence[IndexedRun]) -> None:
    """Draw the runs that were chosen beside each other, or say why they are not."""
    if len(chosen) < FEWEST:
        return
    st.header("Side by side", anchor=False)
    if len(chosen) > MOST:
        st.caption(f"Choose {FEWEST} to {MOST} runs to set them side by side; {len(chosen)} are chosen.")
        return
    if len({run.kind for run in chosen}) > 1:
        st.caption("Choose runs of one kind: those of several kinds have no settings or results in common.")
        return
    readers = _readers(chosen)
    if readers is None:
        return
    networks = [merged(reader.view.result) if reader.view.spec.kind == KIND else None for reader in readers]
    same = len({str(getattr(reader.view.spec, "data", "")) for reader in readers}) == 1
    if chosen[0].kind == KIND:
        st.markdown(f"**{plain(beside_sentence(networks, same), 400)}**")
    show_table(*_overview(chosen, networks, same), name="runs-side-by-side", box=BOX)
    _settings(readers)
    if chosen[0].kind == KIND:
        _pictures(readers)


def _readers(chosen: Sequence[IndexedRun]) -> list[RunReader] | None:
    """Readers of the runs, kept as long as the same are chosen."""
    ids = tuple(run.id for run in chosen)
    known: tuple[tuple[str, ...], list[RunReader]] = st.session_state.get("runs-beside", ((), []))
    if known[0] == ids:
        for reader in known[1]:
            if reader.live:
                reader.poll()
        return known[1]
    try:
        readers = [open_run(run_store(), run_id) for run_id in ids]
    except SoftMergeError as error:
        st.warning(plain(sentence(str(error)), 300), icon=":material/history:")
        return None
    st.session_state["runs-beside"] = (ids, readers)
    return readers


def _overview(
    chosen: Sequence[IndexedRun], networks: Sequence[Measured | None], same: bool
) -> tuple[list[str], list[list[str]]]:
    """Letter, name, state and outcome of each run; of merges the accuracy and how it stands to the first."""
    head = ["", "Name", "State", "Outcome"]
    rows = [
        [letter(place), clipped(run.name, 80), WORDS[run.status], clipped(run.message or ABSENT, 240)]
        for place, run in enumerate(chosen)
    ]
    if chosen[0].kind != KIND:
        return head, rows
    gaps = against_first(networks, same)
    head = [*head[:3], "Test accuracy (95\u00a0% interval)", "Against A, same samples"]
    scored = [[*row[:3], _accuracy(network), gap] for row, network, gap in zip(rows, networks, gaps, strict=True)]
    return head, scored


def _accuracy(network: Measured | None) -> str:
    if network is None:
        return ABSENT
    found = bar(network)
    return percent(network.mean) + (f" ({percent(found.low)} to {percent(found.high)})" if found else "")


def _settings(readers: Sequence[RunReader]) -> None:
    """The settings in which the runs differ, and no others."""
    rows = differing([reader.view.spec for reader in readers])
    if not rows:
        st.caption("All their settings are the same.")
        return
    head = ["Setting", *(letter(place) for place in range(len(readers)))]
    shown = [[clipped(name, 60), *(clipped(value, 60) for value in values)] for name, values in rows]
    show_table(
        head, shown, name="runs-settings", exact=Exact(head, [[name, *values] for name, values in rows]), box=BOX
    )


def _pictures(readers: Sequence[RunReader]) -> None:
    """The curves of the runs over each other, and their gates beside each other."""
    theme = current_theme()
    first, second = st.columns(2, gap="medium")
    results = [reader.view.result for reader in readers]
    with first:
        show_picture(
            curves_figure([reader.events for reader in readers], theme=theme),
            key="beside-curves",
            title="Accuracy",
            sentence="Validation accuracy of each merged network as its gates learn.",
            alt="Validation accuracy over the steps, a line for each run",
            height=HEIGHT,
            waiting="None of these runs was evaluated.",
        )
    with second:
        said = "The mean gate z of each layer and source; of two runs their difference too."
        show_picture(
            beside_gates(results, theme=theme),
            key="beside-gates",
            title="Gates",
            sentence=said,
            alt=f"Gates of each run. {said}",
            height=gates_height(results),
            waiting="Fewer than two of these runs have gates of the same sources.",
        )
