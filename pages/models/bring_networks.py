"""Bringing networks of one's own into the library, for data that are chosen first."""

import streamlit as st

from pages.shared.choose.network import dataset_title, pick_dataset
from pages.shared.choose.own_weights import bring_weights, families_of, family_text
from pages.shared.show.site_map import page_at
from pages.shared.show.text import plain
from softmerge_core.experiments.words import plural
from softmerge_core.zoo import FamilyInfo, get_ready


def bring_networks() -> None:
    """Draw the section: the data, uploads and files of the server's folder, and the families that came of them."""
    get_ready()  # an answer then takes less than a second
    st.header("Networks", anchor=False)
    st.caption(
        "Weights files of networks of your own. Each is read in a process of its own that is limited in memory and "
        "time and runs nothing that is in a file; what it is shows in its tensors."
    )
    dataset = pick_dataset("bring-dataset", "What the networks learned to classify: their inputs and classes must fit.")
    found, new = bring_weights(dataset)
    if new:
        st.rerun()  # what is above counts them too
    for family in families_of(found):
        _offer(family, dataset)


def _offer(family: FamilyInfo, dataset: str) -> None:
    """Say what family the files have become, with a button to the Merge page."""
    count = len(family.models)
    more = "" if count > 1 else " A merge needs two or more: bring another one of its kind."
    with st.container(border=True, gap="xsmall", key=f"family-{family.name}"):
        st.markdown(
            f"**{plain(family_text(family), 120)}**: {plural(count, 'network')} for {plain(dataset_title(dataset))}."
            f"{more}"
        )
        if st.button(
            "Merge them",
            icon=":material/merge:",
            key=f"merge-family:{family.name}",
            disabled=count < 2,
            help="Open the Merge page with this family chosen.",
        ):
            st.switch_page(page_at("merge"), query_params={"family": family_text(family)})
