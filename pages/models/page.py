"""The Models page: look at trained models, train one more, make a poisoned copy of any, or bring in one's own."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator as Slot

from pages.models.bring import bring_data
from pages.models.bring_networks import bring_networks
from pages.models.cards import (
    MINE,
    Entry,
    about,
    family_entries,
    model_table,
    own_entries,
    pick_collection,
)
from pages.models.own import manage_data, manage_models
from pages.models.pictures import model_pictures
from pages.models.samples import show_samples
from pages.models.spoil import poison_outcome, poison_setup, relatives
from pages.models.strip import model_strip
from pages.models.train import draw_training, train_setup
from pages.shared.choose.deleted import tell_deleted
from pages.shared.choose.form import one_of
from pages.shared.choose.network import dataset_title
from pages.shared.runs.page import run_column
from pages.shared.runs.services import newest_live
from pages.shared.show.copy_link import page_head
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme, setup_link
from softmerge_core.experiments.samples import samples_of
from softmerge_core.experiments.train.words import totals
from softmerge_core.figures.style import colour
from softmerge_core.zoo import FamilyInfo, LibraryModel, families

KIND = "train"
PURPOSE = "The networks that are merged, and their data: look at them, train more, spoil one, or bring in your own."
LOOK, TRAIN, POISON, BRING = "Look", "Train", "Poison", "Bring in"
NONE_YET = "You have no models of your own yet: train one, poison one, or bring in your own."


def page() -> None:
    """Draw the page: the task and the models on the left, the pictures on the right."""
    _colours()
    left, right = st.columns([1, 2], gap="large")
    with left:
        page_head("Models", PURPOSE)
        setup_link()
        task = _task()
    if task == BRING:
        _bring(left, right)
        return
    with left:
        collection = pick_collection()
    entries = own_entries() if collection == MINE else family_entries(families()[collection])
    with left:
        st.caption(about(collection, entries))
    {LOOK: _look, TRAIN: _train, POISON: _poison}[task](left, right, collection, entries)


def _colours() -> None:
    theme = current_theme()
    values = f"--sm-poison: {colour('extra4', theme)}; --sm-share: {colour('task', theme)}"
    st.html(f"<style>:root {{ {values} }}</style>")


def _task() -> str:
    """The task that the reader has chosen; at first to train, where a training is live or named by the address."""
    if "do:first" not in st.session_state:
        watch = "run" in st.query_params or newest_live(KIND, own=True) is not None
        st.session_state["do:first"] = TRAIN if watch else LOOK
    chosen: str = one_of(
        st.segmented_control,
        "What to do",
        [LOOK, TRAIN, POISON, BRING],
        default=st.session_state["do:first"],
        key="do",
        bind="query-params",
        label_visibility="collapsed",
        help="Look at the models, train one more, make a poisoned copy of one, or bring in data of your own.",
    )
    return chosen


def _look(left: Slot, right: Slot, collection: str, entries: Sequence[Entry]) -> None:
    with left:
        if collection == MINE:
            tell_deleted("own")
        if entries:
            _parts((manage_models(entries) if collection == MINE else entries[0]).origin)
        chosen = manage_data() if collection == MINE else None
    with right:
        if entries:
            model_pictures([entry.info for entry in entries], _samples(entries))
            _table(entries)
        else:
            st.info(NONE_YET, icon=":material/info:")
        if chosen is not None:
            show_samples(chosen)


def _table(entries: Sequence[Entry]) -> None:
    st.markdown("**The same in numbers.** Accuracies in percent of the samples; the hash tells the weights apart.")
    model_table(entries)


def _bring(left: Slot, right: Slot) -> None:
    with left:
        bring_networks()
        dataset = bring_data()
    with right:
        show_samples(dataset)


def _parts(origin: FamilyInfo | LibraryModel) -> None:
    """The network as a strip of its layers, under one sentence about its size."""
    st.header("Parts", anchor=False)
    shape = "\u00a0×\u00a0".join(map(str, origin.input_shape))
    st.caption(
        f"**{plain(origin.network)}** for {plain(dataset_title(origin.dataset))}: {totals(origin.layers)}; "
        f"input {shape}, {origin.classes} classes. Bars: share of all parameters."
    )
    model_strip(origin.layers)


def _train(left: Slot, right: Slot, collection: str, entries: Sequence[Entry]) -> None:
    with left:
        setup = train_setup(entries[0].origin if entries else None)
    with right:
        run_column(KIND, setup, draw_training, start="Start training", resumable=("interrupted",))


def _samples(entries: Sequence[Entry]) -> int:
    """The number of test samples; 0 where the models were not tested on the same ones or it is not known."""
    datasets = {entry.origin.dataset for entry in entries}
    return samples_of(datasets.pop()) if len(datasets) == 1 else 0


def _poison(left: Slot, right: Slot, collection: str, entries: Sequence[Entry]) -> None:
    with left:
        entry = poison_setup(entries)
    with right:
        poison_outcome()
        if entry is not None:
            shown = relatives(entry)
            model_pictures([entry.info for entry in shown], _samples(shown))
            _table(shown)
