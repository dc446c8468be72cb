"""What can be done with the runs that are chosen: open one on its page, name it, give tags, throw some away."""

from collections.abc import Sequence

import streamlit as st

from pages.runs.listing import KEY, unselect
from pages.shared.choose.deleted import throw_away
from pages.shared.runs.opening import open_button
from pages.shared.runs.services import may_change, run_store
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.words import plural, sentence
from softmerge_core.runs.index import IndexedRun
from softmerge_core.runs.labels import LONGEST_NAME, Labels
from softmerge_core.runs.status import ENDED


def actions(chosen: Sequence[IndexedRun]) -> None:
    """Draw the buttons for the runs that are chosen, or how to choose some."""
    if not chosen:
        st.caption(
            "Choose a run by the box at its left to open, name or delete it, or two to six to set them side by side."
        )
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="runs-actions"):
        if len(chosen) == 1:
            open_button(chosen[0].kind, chosen[0].id, "Open", primary=True)
        with st.popover("Name and tags" if len(chosen) == 1 else "Tags", icon=":material/label:"):
            _labels_form(chosen)
        _delete_button(chosen)


def _labels_form(chosen: Sequence[IndexedRun]) -> None:
    """Fields for the name, of one run, and the tags, which several runs take over."""
    one = chosen[0] if len(chosen) == 1 else None
    about = ",".join(run.id for run in chosen)
    name = one.name if one else ""
    if one:
        name = st.text_input(
            "Name", one.name, max_chars=LONGEST_NAME, key=f"{KEY}name:{about}", help="What the list calls this run."
        )
    shared = [tag for tag in chosen[0].tags if all(tag in run.tags for run in chosen)]
    tags = st.text_input(
        "Tags, parted by commas", ", ".join(shared), key=f"{KEY}tags:{about}",
        help="Words by which you find these runs again; they are kept with each run.",
    )  # fmt: skip
    if st.button("Save", type="primary", key=f"{KEY}save:{about}", help="Write this on what is chosen."):
        _save(chosen, name, [tag.strip() for tag in tags.split(",")], shared)


def _save(chosen: Sequence[IndexedRun], name: str, tags: Sequence[str], shared: Sequence[str]) -> None:
    try:
        for run in chosen:
            kept = [tag for tag in run.tags if tag not in shared]
            run_store().label(run.id, Labels(name if len(chosen) == 1 else run.name, (*kept, *tags)))
    except SoftMergeError as error:
        st.error(plain(sentence(str(error)), 300), icon=":material/error:")
        return
    st.rerun()


def _delete_button(chosen: Sequence[IndexedRun]) -> None:
    live = [run for run in chosen if run.status not in (*ENDED, "interrupted")]
    foreign = [run for run in chosen if not may_change(run.id)]
    about = (
        "Only whoever started a run can delete it, or the owner of this server."
        if foreign
        else "A run that is live can be stopped on its page, then deleted here."
        if live
        else "Throw what is chosen away; it can be brought back for a day."
    )
    st.button(
        "Delete",
        icon=":material/delete:",
        disabled=bool(live or foreign),
        on_click=_delete,
        args=([run.id for run in chosen], _title(chosen)),
        key=f"{KEY}delete",
        help=about,
    )


def _title(chosen: Sequence[IndexedRun]) -> str:
    return chosen[0].name or "A run" if len(chosen) == 1 else plural(len(chosen), "run")


def _delete(ids: Sequence[str], title: str) -> None:
    throw_away("runs", title, lambda: run_store().set_aside(ids))
    unselect()
