"""The reader's own models and data files: to take along, to delete, and to bring back what was deleted."""

from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st

from pages.models.cards import Entry
from pages.shared.choose.deleted import throw_away
from pages.shared.choose.form import one_of
from pages.shared.choose.take_home import take_home
from pages.shared.show.file_button import file_button, made
from pages.shared.show.text import plain
from softmerge_core.data import data_files, remove_data_file
from softmerge_core.experiments.words import listed
from softmerge_core.zoo import library, library_folder, remove_from_library
from softmerge_core.zoo.library import WEIGHTS


def manage_models(entries: Sequence[Entry]) -> Entry:
    """Download or delete one of the reader's own models; returns the one that is chosen."""
    models = {entry.info.name: entry for entry in entries}
    name = _pick("One of them", "own-model", models, "The model to download or delete, and whose parts are shown.")
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        _download(name)
        title = models[name].info.title
        _delete_button("model", name, title, lambda: remove_from_library(name))
    return models[name]


def manage_data() -> str | None:
    """Delete one of the reader's own data files; says which models learned it, and returns its path, if any."""
    files = {path.name: path for path in data_files()}
    if not files:
        return None
    st.header("Data", anchor=False)
    name = _pick("One of your data files", "own-file", files, "The data file to look at or to delete.")
    users = [model.title for model in library().values() if Path(model.dataset) == files[name]]
    said = f"Trained on it: {plain(listed(users), 300)}." if users else "None of your models was trained on it."
    st.caption(said)
    _delete_button("data file", name, name, lambda: remove_data_file(files[name]))
    return str(files[name])


def _pick(label: str, key: str, options: dict[str, Entry] | dict[str, Path], help: str) -> str:
    """One of the options, by its title; another tab may have deleted the one that was chosen."""
    if st.session_state.get(key) not in [None, *options]:
        del st.session_state[key]
    titles = {name: found.info.title if isinstance(found, Entry) else name for name, found in options.items()}
    return str(
        one_of(
            st.selectbox, label, list(options), format_func=lambda name: titles.get(name, name), key=key,
            persist_state="session", bind="query-params", help=help,
        )
    )  # fmt: skip


def _download(name: str) -> None:
    path = library_folder() / name / WEIGHTS
    if not path.is_file():
        st.caption("Its weights file is missing.")
        return
    file_button(
        "Weights",
        f"model-weights-{name}.safetensors",
        address=made("weights", f"library/{name}"),
        icon=":material/download:",
        help="The model's weights as safetensors.",
    )
    take_home(f"library/{name}", lambda what, ending: f"model-{what}-{name}.{ending}")


def _delete_button(what: str, name: str, title: str, remove: Callable[[], str]) -> None:
    st.button(
        "Delete",
        icon=":material/delete:",
        key=f"delete:{what}:{name}",  # another one is another button: no press is carried over
        on_click=throw_away,
        args=("own", title, remove),
        help=f"Delete this {what}; it can be brought back for a day.",
    )
