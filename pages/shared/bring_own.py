"""A reader's own networks and data, beside those that ship with the project."""

from dataclasses import dataclass

import streamlit as st

from pages.shared.model_picker import PickedSource
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import FamilyInfo, library


@dataclass(frozen=True)
class BringOwn:
    """Sources of the reader's own, and the data file to use instead of the family's data set."""

    sources: tuple[PickedSource, ...] = ()
    dataset: str | None = None


def bring_own(family: FamilyInfo) -> BringOwn:
    """A folded section with the reader's library and uploads."""
    with st.expander("Bring your own", icon=":material/upload:"):
        models = library()
        chosen = st.multiselect("From your library", list(models), key="own-models", persist_state="session")
    return BringOwn(tuple(PickedSource(SourceSpec(model=f"library/{name}"), models[name].title) for name in chosen))
