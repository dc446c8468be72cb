"""A reader's own networks and data, beside those that ship with the project."""

from dataclasses import dataclass

import streamlit as st

from pages.shared.choose.linked import link, linked
from pages.shared.choose.own_data import DATA, own_data, upload_data
from pages.shared.choose.own_weights import bring_weights, families_of
from pages.shared.choose.sources import Measure, PickedSource, source_card
from pages.shared.show.page_state import refuse
from pages.shared.show.text import plain
from softmerge_core.experiments.words import listed, percent
from softmerge_core.numbers import usual_spaces
from softmerge_core.zoo import FamilyInfo, LibraryModel, get_ready, library, own_families, same_kind

CHOSEN = "own-models"
OTHERS = "own-others"  # families of uploads that are of another kind than the family they were uploaded at


@dataclass(frozen=True)
class BringOwn:
    """Sources of the reader's own, and the data file to use instead of the family's data set."""

    sources: tuple[PickedSource, ...] = ()
    dataset: str | None = None


def bring_own(family: FamilyInfo, measure: Measure | None = None) -> BringOwn:
    """A folded section with the reader's library and uploads; what cannot be used is told, never raised.

    ``measure``: as in ``source_card``.
    """
    section = st.expander("Bring your own", icon=":material/upload:", key="bring-your-own", on_change="rerun")
    if section.open:
        get_ready()  # an answer then takes less than a second
    with section:
        _bring_weights(family)
        sources = _own_models(family, measure)
        upload_data()
        dataset = own_data(family)
    return BringOwn(tuple(sources), dataset)


def _own_models(family: FamilyInfo, measure: Measure | None) -> list[PickedSource]:
    known = library()
    models = {name: model for name, model in known.items() if model not in family.models}
    if asked := linked(CHOSEN):
        for name in asked:
            if name not in known:
                refuse(CHOSEN, name, "not in the library")
        st.session_state.setdefault(CHOSEN, [name for name in asked if name in known])
    if gone := [name for name in st.session_state.get(CHOSEN, []) if name not in known]:
        what = "is no longer in your library and does" if len(gone) == 1 else "are no longer in your library and do"
        st.warning(f"{plain(listed(gone), 200)} {what} not take part.", icon=":material/delete:")
    if not models:
        st.caption("Networks you upload, train or poison are kept in your library and can be chosen here.")
        link(CHOSEN, [])
        return []
    kept = [name for name in st.session_state.get(CHOSEN, []) if name in models]
    if CHOSEN in st.session_state:
        st.session_state[CHOSEN] = kept  # one may have been deleted meanwhile
    names = st.multiselect(
        "From your library",
        sorted(models, key=lambda name: not same_kind(models[name], family)),
        format_func=lambda name: _label(models[name], family),
        key=CHOSEN,
        persist_state="session",
        placeholder="Choose networks of your own",
        help="They take part beside the sources above; only Compare takes sources of several architectures.",
    )
    names = list(dict.fromkeys(names))  # a browser may send anything
    link(CHOSEN, names)
    cards = [source_card(f"library/{name}", models[name], measure, chosen=True) for name in names]
    return [card for card in cards if card]


def _label(model: LibraryModel, family: FamilyInfo) -> str:
    about = percent(model.accuracy.get("test")) if same_kind(model, family) else f"another kind: {model.network}"
    return usual_spaces(f"{model.title} ({about})")  # links hold it


def _bring_weights(family: FamilyInfo) -> None:
    """Uploads and files of the server's folder; those of the family's kind take part."""
    dataset = st.session_state.get(DATA) or family.dataset
    found, new = bring_weights(dataset, like=family.network)
    known = library()
    alike = [name for name in new if name in known and same_kind(known[name], family)]
    if alike:
        st.session_state[CHOSEN] = list(dict.fromkeys([*st.session_state.get(CHOSEN, []), *alike]))
    others = {own.name for own in families_of(found) if not same_kind(own, family)}
    st.session_state[OTHERS] = {*st.session_state.get(OTHERS, ()), *others}
    if new:
        st.rerun()  # what is above offers them too
    _offer_others(family)


def _offer_others(family: FamilyInfo) -> None:
    """Say that uploads are of other kinds than ``family``, each with a button that chooses theirs."""
    known = own_families()
    for name in sorted({name for name in st.session_state.get(OTHERS, ()) if name in known} - {family.name}):
        count = len(known[name].models)
        st.info(
            f"{count} {'network' if count == 1 else 'networks'} of another kind than the family above: "
            f"{plain(known[name].title, 120)}.",
            icon=":material/category:",
        )
        st.button("Choose them", key=f"choose:{name}", on_click=_choose_family, args=(name,), help="Merge these.")


def _choose_family(name: str) -> None:
    st.session_state["family"] = name
