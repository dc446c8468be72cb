"""Choosing sources of several architectures, and the one that the result is to have."""

from collections.abc import Sequence

import streamlit as st

from pages.shared.choose.form import one_of
from pages.shared.choose.linked import link, linked
from pages.shared.choose.sources import PickedSource
from pages.shared.show.page_state import refuse
from pages.shared.show.text import plain
from softmerge_core.experiments.compare.across import possible
from softmerge_core.experiments.compare.spec import CompareSpec
from softmerge_core.experiments.kinds import networks_of
from softmerge_core.experiments.words import percent
from softmerge_core.numbers import usual_spaces
from softmerge_core.settings import SourceSpec
from softmerge_core.zoo import FamilyInfo, ModelInfo, families, same_data

OTHERS, TARGET = "compare-others", "compare-target"
BEST = "The best source (lowest validation loss)"


def pick_others(family: FamilyInfo) -> list[PickedSource]:
    """The chosen models of other architectures that learned the family's data; asks only where there are any."""
    models = {
        other.source(model): (other, model)
        for other in families().values()
        if other.network != family.network and same_data(other, family)
        for model in other.models
    }
    if asked := linked(OTHERS):
        for name in asked:
            if name not in models:
                refuse(OTHERS, name, "not among the sources of other architectures")
        st.session_state.setdefault(OTHERS, asked)
    if not models:
        link(OTHERS, [])
        return []
    if OTHERS in st.session_state:
        st.session_state[OTHERS] = [name for name in st.session_state[OTHERS] if name in models]
    names = st.multiselect(
        "Sources of other architectures",
        list(models),
        format_func=lambda name: _label(*models[name]),
        key=OTHERS,
        persist_state="session",
        placeholder="None",
        help="They learned the same data and take part beside those above; then only ways that work across "
        "architectures run.",
    )
    link(OTHERS, names)
    titles = {name: f"{other.title}: {model.title}" for name, (other, model) in models.items()}
    return [PickedSource(SourceSpec(model=name), titles[name]) for name in names]


def _label(family: FamilyInfo, model: ModelInfo) -> str:
    return usual_spaces(f"{family.title}: {model.title} ({percent(model.accuracy.get('test'))})")  # links hold it


def others_of(sources: Sequence[SourceSpec], family: FamilyInfo | None) -> list[str]:
    """The sources that ``pick_others`` chose: of shipped families other than the one on the left."""
    places = [source.model.partition("/")[0] for source in sources]
    found = zip(sources, places, strict=True)
    return [source.model for source, place in found if place in families() and family and place != family.name]


def tell_possible(sources: Sequence[SourceSpec]) -> None:
    """Draw what can be done with sources of several architectures; nothing for those of one."""
    if said := possible(sources):
        st.info(plain(said, 900), icon=":material/category:")


def pick_target(picked: Sequence[PickedSource]) -> str:
    """The model of the source whose architecture the result is to have, or "" for the best one's."""
    field = CompareSpec.model_fields["target"]
    kinds = networks_of([source.spec for source in picked])
    titles = {
        source.spec.model: usual_spaces(f"{source.title} ({kind.rpartition('/')[2]})" if kind else source.title)
        for source, kind in zip(picked, kinds, strict=True)
    }
    if st.session_state.get(TARGET) not in [None, "", *titles]:
        del st.session_state[TARGET]
    return str(
        one_of(
            st.selectbox,
            str(field.title),
            ["", *titles],
            format_func=lambda name: titles.get(name, BEST),
            key=TARGET,
            bind="query-params",
            persist_state="session",
            help=field.description,
        )
    )
