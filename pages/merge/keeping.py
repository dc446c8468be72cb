"""The merged network kept in the reader's library, so that another merge can build on it."""

import streamlit as st

from pages.shared.choose.zoo_command import zoo_command
from pages.shared.runs.reader import RunReader
from pages.shared.runs.services import run_store
from pages.shared.show.text import plain
from softmerge_core.checkpoints.metadata import read_metadata
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.merge.lineage import TENSORS
from softmerge_core.experiments.words import sentence
from softmerge_core.export.keeping import kept_before
from softmerge_core.zoo import LibraryModel, library


def keep_button(reader: RunReader) -> None:
    """Offer to keep the network of a run; where it is kept already, say so."""
    model = _kept(reader)
    if model is not None:
        told = f"It is kept as “{plain(model.title, 60)}” and can take part in merges."
        st.markdown(":material/check: In your library", width="content", help=told)
    elif st.button(
        "Keep in library",
        icon=":material/library_add:",
        key=f"keep:{reader.run_id}",
        help="Keep the merged network among your models, so that another merge can build on it.",
    ):
        _keep(reader.run_id)


def _kept(reader: RunReader) -> LibraryModel | None:
    """The library's model that this network is: kept in this session, or told by the hash in its file."""
    if (known := library().get(st.session_state.get(f"kept:{reader.run_id}", ""))) is not None:
        return known
    sha256 = reader.once("tensors", lambda: _hash(reader.run_id))
    return kept_before(sha256) if sha256 else None


def _hash(run_id: str) -> str:
    """The hash of the tensors that the file tells; "" where it tells none, as those of earlier versions."""
    try:
        return read_metadata(run_store().weights(run_id, "merged")).get(TENSORS, "")
    except SoftMergeError:  # whoever wants the file is told
        return ""


def _keep(run_id: str) -> None:
    try:
        with st.spinner("Keeping the network and measuring its accuracy"):
            made = zoo_command("keep", run_id, failure="the network could not be kept")
    except SoftMergeError as error:
        st.toast(plain(sentence(str(error)), 400), icon=":material/error:", duration="long")
        return
    st.session_state[f"kept:{run_id}"] = made["name"]
    st.toast(f"Kept as {plain(made['title'], 60)}. It can take part in merges.", icon=":material/library_add_check:")
    st.rerun()  # the set-up on the left offers it too
