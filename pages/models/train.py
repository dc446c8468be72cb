"""Training one more model: the form, and the training watched live."""

import plotly.graph_objects as go
import streamlit as st

from pages.models.cards import Entry, family_entries, own_entries
from pages.models.naming import pick_name, unused
from pages.shared.choose.form import main_fields, more_fields, one_of, settings_form
from pages.shared.choose.network import dataset_title, forget, pick_dataset, pick_network
from pages.shared.choose.own import CHOSEN
from pages.shared.runs.panel import progress, tell_end
from pages.shared.runs.picture import Picture
from pages.shared.runs.reader import RunReader
from pages.shared.runs.record import tell_record
from pages.shared.runs.services import run_store
from pages.shared.runs.setup import Setup
from pages.shared.show.file_button import file_button, made
from pages.shared.show.site_map import page_at
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.train.spec import TrainSpec, check
from softmerge_core.experiments.train.words import accuracy_sentence, training_sentence
from softmerge_core.figures.style import Theme
from softmerge_core.figures.training import training_figure
from softmerge_core.settings import SourceSpec, TrainSettings, parse
from softmerge_core.zoo import FamilyInfo, LibraryModel, families, library, same_kind

PREFIX = "train-"
SCRATCH = "scratch"


def train_setup(family: FamilyInfo | LibraryModel | None) -> Setup:
    """Draw all widgets of a training, at first for the network and data of ``family``; returns the spec."""
    _start_with(family)
    first, second = st.columns(2, gap="small")
    with first:
        dataset = pick_dataset(f"{PREFIX}dataset", "What the network learns to classify.")
    with second:
        network = pick_network(dataset, f"{PREFIX}network")
    start = _start(dataset, network)
    values = settings_form(TrainSettings, prefix=PREFIX, fields=main_fields(TrainSettings))
    with st.expander("More", icon=":material/tune:"):
        values |= settings_form(TrainSettings, prefix=PREFIX, fields=more_fields(TrainSettings))
    name = _name(f"{network} on {dataset_title(dataset)}")
    try:
        settings = parse(TrainSettings, values, "settings")
        source = SourceSpec(model=start) if start else None
        spec = TrainSpec(name=name, dataset=dataset, network=network, settings=settings, start_from=source)
        check(spec)
    except SoftMergeError as error:
        return Setup(None, str(error))
    return Setup(spec)


def _start_with(family: FamilyInfo | LibraryModel | None) -> None:
    """When the reader turns to another family, fill the form with its network and data."""
    if family is None or st.session_state.get("train:for") == family.name:
        return
    st.session_state["train:for"] = family.name
    st.session_state[f"{PREFIX}dataset"] = family.dataset
    st.session_state[f"{PREFIX}network"] = family.network
    st.session_state[f"{PREFIX}start"] = SCRATCH


def _start(dataset: str, network: str) -> str | None:
    """The model to go on from, or None for random weights."""
    entries = {entry.model: entry for entry in _starts(dataset, network)}
    options = [SCRATCH, *entries]
    forget(f"{PREFIX}start", options)
    chosen = one_of(
        st.selectbox,
        "Start from",
        options,
        format_func=lambda model: _start_title(entries.get(model)),
        key=f"{PREFIX}start",
        bind="query-params",
        persist_state="session",
        help="Random weights drawn from the seed, or those of a trained model, which itself stays as it is.",
    )
    return None if chosen == SCRATCH else str(chosen)


def _starts(dataset: str, network: str) -> list[Entry]:
    """Every model of this network and data."""
    shipped = [entry for family in families().values() for entry in family_entries(family)]
    every = [*own_entries(), *shipped]
    return [entry for entry in every if (entry.origin.dataset, entry.origin.network) == (dataset, network)]


def _start_title(entry: Entry | None) -> str:
    if entry is None:
        return "Random weights"
    where = "My models" if isinstance(entry.origin, LibraryModel) else entry.origin.title
    return f"{where}: {entry.info.title}"


def _name(wanted: str) -> str:
    """The title to keep the model under; one that is taken gets a number."""
    taken = {model.title for model in library().values()}
    help = "Under this name the model is kept in your library, and offered on the Merge page."
    typed = pick_name(f"{PREFIX}name", wanted, taken, joint=" ", help=help)
    return unused(" ".join(typed.split()), taken, " ")


def draw_training(reader: RunReader | None) -> None:
    """Draw the progress, the picture and the outcome; the same nodes before, during and after a run."""
    if reader is None:
        st.progress(0.0, text="Nothing has been trained here yet: press Start training, and watch the loss fall.")
    else:
        progress(reader)
    TRAINING.draw(reader)
    with st.container(key="outcome-slot"):
        if reader is not None:
            tell_end(reader, "training")
            tell_record(reader)
            if reader.view.result:
                _kept(reader.run_id, str(reader.view.result.get("library")))


def _figure(reader: RunReader, theme: Theme) -> go.Figure | None:
    figure = training_figure(reader.events, theme=theme)
    if figure is not None:
        # Plotly draws no panel without a line: the lower one is there from the first step on.
        figure.add_scatter(x=[0], y=[None], xaxis="x2", yaxis="y2", showlegend=False, hoverinfo="skip", name="room")
        figure.for_each_trace(
            lambda trace: trace.update(name=f"{trace.name}, raw faint"),
            selector=lambda trace: "smoothed" in trace.name,
        )
    return figure


TRAINING = Picture(
    key="training",
    terms=("nats", "EMA"),
    title="Training",
    idle="The training loss falls step by step, above; below, how much of the validation data is classified correctly.",
    kinds=("loss", "evaluation"),
    build=_figure,
    words=lambda reader: training_sentence(reader.events),
    height=460,
    waiting="Drawn here while a model is trained",
)


def _kept(run_id: str, name: str) -> None:
    model = library().get(name)
    with st.container(border=True, gap="xsmall", key="verdict"):
        if model is None:
            st.markdown("The model this training kept has been deleted from your library since.")
            return
        st.markdown(f"**Kept in your library as {plain(model.title, 60)}.** {accuracy_sentence(model.accuracy)}")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            merge_button(model)
            try:
                run_store().weights(run_id, "trained")
            except SoftMergeError:
                st.caption("The weights of this training are no longer beside it; they are in your library.")
                return
            file_button(
                "Weights",
                f"model-weights-{name}.safetensors",
                address=made("trained", run_id),
                icon=":material/download:",
                help="The trained network as safetensors.",
            )


def merge_button(model: LibraryModel) -> None:
    """A button to the Merge page, with the model among its sources, where a family is of the model's kind."""
    every = sorted(families().values(), key=lambda family: family.name != st.session_state.get("models"))
    family = next((family for family in every if same_kind(family, model)), None)
    if family is None:
        return
    if st.button(
        "Merge it",
        icon=":material/merge:",
        key=f"merge:{model.name}",
        help="Open the Merge page with this model among the sources.",
    ):
        st.session_state[CHOSEN] = list(dict.fromkeys([*st.session_state.get(CHOSEN, []), model.name]))
        st.toast(f'{plain(model.title, 60)} takes part, under "Bring your own".', icon=":material/merge:")
        st.switch_page(page_at("merge"), query_params={"family": family.title})  # as the address has it
