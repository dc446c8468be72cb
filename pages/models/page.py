"""The Models page: look at trained models, train one more, or make a poisoned copy of any."""

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator as Slot

from pages.models.cards import (
    MINE,
    Entry,
    about,
    dataset_title,
    family_entries,
    model_table,
    own_entries,
    pick_collection,
)
from pages.models.figures import dots_figure, histories_figure, pictures_height
from pages.models.spoil import manage, poison_outcome, poison_setup, relatives
from pages.models.strip import model_strip
from pages.models.train import draw_training, train_setup, training_outcome
from pages.shared.runs.panel import controls, current_run, follow
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import newest_live
from pages.shared.show.live_plot import live_plot
from pages.shared.show.text import plain
from pages.shared.show.theme import current_theme
from softmerge_core.experiments.train.words import history_sentence, spread_sentence, totals
from softmerge_core.experiments.words import sentence
from softmerge_core.figures.style import colour
from softmerge_core.zoo import FamilyInfo, LibraryModel, families

KIND = "train"
PURPOSE = "The trained networks that are merged: how each was trained and how good it is. Train more, or spoil one."
LOOK, TRAIN, POISON = "Look", "Train", "Poison"
NONE_YET = "You have no models of your own yet: train one, poison one, or bring your own weights on the Merge page."


def page() -> None:
    """What to do and with which models on the left; the pictures on the right."""
    _colours()
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.markdown(f"# Models\n{PURPOSE}")
        task, collection = _task(), pick_collection()
    entries = own_entries() if collection == MINE else family_entries(families()[collection])
    with left:
        st.caption(about(collection, entries))
    {LOOK: _look, TRAIN: _train, POISON: _poison}[task](left, right, collection, entries)


def _colours() -> None:
    theme = current_theme()
    values = f"--sm-poison: {colour('extra4', theme)}; --sm-share: {colour('task', theme)}"
    st.html(f"<style>:root {{ {values} }}</style>")


def _task() -> str:
    """What the reader wants to do; where a training is live, or named by the address, at first to watch it."""
    if "do:first" not in st.session_state:
        watch = "run" in st.query_params or newest_live(KIND) is not None
        st.session_state["do:first"] = TRAIN if watch else LOOK
    return st.segmented_control(
        "What to do",
        [LOOK, TRAIN, POISON],
        default=st.session_state["do:first"],
        required=True,
        key="do",
        bind="query-params",
        label_visibility="collapsed",
        help="Look at the models, train one more, or make a poisoned copy of one.",
    )


def _look(left: Slot, right: Slot, collection: str, entries: Sequence[Entry]) -> None:
    with right:
        if not entries:
            st.info(NONE_YET, icon=":material/info:")
            return
        pictures(entries)
        st.markdown("**The same in numbers.** Accuracies in percent of the samples; the hash tells the weights apart.")
        model_table(entries)
    with left:
        _parts((manage(entries) if collection == MINE else entries[0]).origin)


def _parts(origin: FamilyInfo | LibraryModel) -> None:
    """The network as a strip of its layers, under one sentence about its size."""
    st.subheader("Parts", anchor=False)
    shape = "\u00a0×\u00a0".join(map(str, origin.input_shape))
    st.caption(
        f"**{plain(origin.network)}** for {plain(dataset_title(origin.dataset))}: {totals(origin.layers)}; "
        f"input {shape}, {origin.classes} classes. Bars: share of all parameters."
    )
    model_strip(origin.layers)


def pictures(entries: Sequence[Entry]) -> None:
    """Accuracies beside the curves of how the models were trained, each under a sentence in words."""
    models, theme = [entry.info for entry in entries], current_theme()
    height = pictures_height(models)
    first, second = st.columns(2, gap="medium")
    with first, st.container(key="picture-dots", gap="xsmall"):
        words = f"**Accuracy.** {plain(spread_sentence(models), 300)}"
        st.markdown(words)
        live_plot(
            dots_figure(models, theme=theme),
            key="dots-plot",
            height=height,
            alt="Accuracy of each model",
            waiting="Drawing",
        )
    with second, st.container(key="picture-histories", gap="xsmall"):
        st.markdown(f"**Training.** {history_sentence(models)}")
        figure = histories_figure(models, theme=theme, height=height)
        live_plot(
            figure,
            key="histories-plot",
            height=height,
            alt="Validation accuracy and training loss of each model over the steps of its training",
            waiting="Drawing" if figure else "No training was recorded",
        )


def _train(left: Slot, right: Slot, collection: str, entries: Sequence[Entry]) -> None:
    with left:
        spec, wrong = train_setup(entries[0].origin if entries else None)
    with right:
        reader = current_run(KIND)
        problem = controls(KIND, reader, spec, label="Start training", resumable=("interrupted",))
        for text in filter(None, (wrong, problem)):
            st.error(plain(sentence(text), 600), icon=":material/error:")
        follow(KIND, _draw)


def _draw(reader: RunReader | None) -> None:
    """All that follows the run is drawn with it, so that its end and what came of it are seen together."""
    draw_training(reader)
    with st.container(key="outcome-slot"):
        training_outcome(reader)


def _poison(left: Slot, right: Slot, collection: str, entries: Sequence[Entry]) -> None:
    with left:
        entry = poison_setup(entries)
    with right:
        poison_outcome()
        if entry is not None:
            shown = relatives(entry)
            pictures(shown)
            model_table(shown)
