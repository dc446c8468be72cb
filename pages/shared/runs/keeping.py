"""A network that a run made, kept in the reader's library, so that a merge can build on it."""

from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import streamlit as st

from pages.shared.choose.zoo_command import zoo_command
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from pages.shared.show.text import plain
from softmerge_core.checkpoints.metadata import read_metadata
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.merge.lineage import TENSORS
from softmerge_core.experiments.words import sentence
from softmerge_core.export.keeping import kept_before, networks_of
from softmerge_core.runs import files
from softmerge_core.zoo import LibraryModel, library

HELP = "Keep the {} among your models, so that a merge can build on it, and every other page take it."


class Network(NamedTuple):
    """A network that a run kept: the name of its file, and what it is called beside the others of the run."""

    file: str
    title: str
    sha256: str


def keep_button(reader: RunReader) -> None:
    """Offer to keep the network of a run, or one of several; where it is kept already, say so."""
    networks = _networks_of(reader)
    if len(networks) == 1:
        _one(reader.run_id, networks[0], "network of this run")
    elif networks:
        with st.popover("Keep in library", icon=":material/library_add:", help="The networks that this run made."):
            titles = {network.title: network for network in networks}
            chosen = st.selectbox(
                "Network", list(titles), key=f"keep-which:{reader.run_id}", help="Which of them is to be kept."
            )
            _one(reader.run_id, titles[chosen], "network that is chosen")


def _one(run_id: str, network: Network, what: str) -> None:
    model = _kept(run_id, network)
    if model is not None:
        told = f"It is kept as “{plain(model.title, 60)}” and can take part in merges."
        st.markdown(":material/check: In your library", width="content", help=told)
        return
    asked = f"keep-asked:{run_id}:{network.file}"
    st.button(
        "Keep in library" if what == "network of this run" else "Keep it",
        icon=":material/library_add:",
        key=f"keep:{network.file}",
        help=HELP.format(what),
        on_click=_ask,
        args=(asked,),
    )
    if st.session_state.get(asked):
        _keep(run_id, network, asked)


def _ask(asked: str) -> None:
    """Remember a press, for the run of the script that comes as far as this button: the first may be cut short."""
    st.session_state[asked] = True


def _networks_of(reader: RunReader) -> list[Network]:
    """What the run kept, by its files; none where it kept none, or did before files told what they are."""
    try:
        folder = run_store().folder(reader.run_id)
        if reader.view.spec.kind == "merge":
            return [Network("merged", "Merged network", _hash(run_store().weights(reader.run_id, "merged")))]
    except SoftMergeError:  # whoever wants the file is told
        return []
    found: list[Network] = reader.once("networks", lambda: _listed(folder, reader.view.status))
    return found


@lru_cache(maxsize=64)
def _listed(folder: Path, status: str) -> list[Network]:
    """The networks of an ended run by their titles, without the run's name in them; ``status``: of the run."""
    found = {}
    for file, made in networks_of(folder).items():
        title = made.title.partition(": ")[0]
        title = title if title not in found else f"{title} ({file})"
        found[title] = Network(file, title, _hash(files.weights_path(folder, file)))
    return list(found.values())


def _hash(weights: Path) -> str:
    """The hash of the tensors that a file tells; "" where it tells none, as those of earlier versions."""
    try:
        return read_metadata(weights).get(TENSORS, "")
    except SoftMergeError:  # whoever wants the file is told
        return ""


def _kept(run_id: str, network: Network) -> LibraryModel | None:
    """The library's model that this network is: kept in this session, or told by the hash in its file."""
    if (known := library().get(st.session_state.get(f"kept:{run_id}:{network.file}", ""))) is not None:
        return known
    return kept_before(network.sha256) if network.sha256 else None


def _keep(run_id: str, network: Network, asked: str) -> None:
    try:
        with st.spinner("Keeping the network and measuring its accuracy"):
            del st.session_state[asked]  # not before: the script may be cut short where the spinner is drawn
            made = zoo_command("keep", run_id, "--which", network.file, failure="the network could not be kept")
            st.session_state[f"kept:{run_id}:{network.file}"] = made["name"]
    except SoftMergeError as error:
        st.toast(plain(sentence(str(error)), 400), icon=":material/error:", duration="long")
        return
    st.toast(f"Kept as {plain(made['title'], 60)}. It can take part in merges.", icon=":material/library_add_check:")
    st.rerun()  # the set-up on the left offers it too
