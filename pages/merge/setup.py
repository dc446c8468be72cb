"""The left side of the Merge page: sources, parts and settings, as the spec of the run they describe."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.merge.part_strip import part_strip
from pages.merge.preflight import preflight
from pages.shared.choose.form import form_state, main_fields, more_fields, not_offered, settings_form
from pages.shared.choose.linked import link, linked
from pages.shared.choose.own import BringOwn, bring_own
from pages.shared.choose.restore import family_of, limits_state, sources_state
from pages.shared.choose.sources import PickedSource, pick_family, pick_sources, too_few
from pages.shared.runs.measuring import measured
from pages.shared.runs.services import devices_offered
from pages.shared.runs.setup import Setup, checked
from pages.shared.show.page_state import refuse
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.admission import FIRST
from softmerge_core.experiments.merge.spec import MergeSpec
from softmerge_core.settings import DataSpec, SoftMergeSettings, SourceSpec, parse
from softmerge_core.zoo import FamilyInfo, library
from softmerge_core.zoo.manifest import LayerInfo

NO_WIDGET = ("parts", "granularity")  # drawn on their own
PARTS = "parts"  # the name of the layers that are not simply gated in the address


def merge_setup() -> Setup:
    """All widgets on the left; errors are told, never raised."""
    st.header("Sources", anchor=False)
    family = pick_family(first=FIRST)
    if family is None:
        return Setup(None)
    picked = pick_sources(family, measured)
    own = bring_own(family, measured)
    picked += own.sources
    st.header("Parts", anchor=False)
    name, layers = _network(family, picked)
    parts = _parts(name, layers, [source.title for source in picked])
    st.header("Gates", anchor=False)
    values = _settings()
    setup = _spec(family, picked, own, {**values, "parts": parts})
    if isinstance(setup.spec, MergeSpec):
        preflight(setup.spec)
    return setup


def state_of(spec: MergeSpec) -> dict[str, Any]:
    """The values of all widgets on the left, by their keys, that describe this spec; what none can say is left out."""
    state = sources_state(spec.sources, spec.data) | limits_state(spec.data)
    state |= form_state(spec.settings, fields=[name for name in SoftMergeSettings.model_fields if name != "parts"])
    if family := family_of(spec.sources, spec.data):
        state[f"parts:{_network_of(family, spec.sources[0])[0]}"] = dict(spec.settings.parts)
    return state | form_state(spec, fields=["align"])


def _network(family: FamilyInfo, picked: Sequence[PickedSource]) -> tuple[str, Sequence[LayerInfo]]:
    """(name to remember its parts by, layers) of the first chosen source's network, or else of the family's."""
    return _network_of(family, picked[0].spec) if picked else (family.name, family.layers)


def _network_of(family: FamilyInfo, source: SourceSpec) -> tuple[str, Sequence[LayerInfo]]:
    own = library().get(source.model.removeprefix("library/")) if source.model.startswith("library/") else None
    if own is None or own.layers in ((), family.layers):
        return family.name, family.layers
    return f"library/{own.name}", own.layers


def _parts(name: str, layers: Sequence[LayerInfo], titles: Sequence[str]) -> dict[str, str]:
    """What the reader wants done with each layer; layers that are simply gated are left out."""
    st.caption("Click a layer to gate it, average it, or keep it from one source.")
    key = f"parts:{name}"
    asked = _linked_parts()
    chosen = part_strip(layers, st.session_state.get(key) or asked, titles, key=f"strip:{name}")
    for layer, choice in asked.items():
        if chosen.get(layer) != choice:
            refuse(PARTS, f"{layer}={choice}", "this network has no such part or source")
    st.session_state[key] = chosen
    parts = {name: choice for name, choice in chosen.items() if choice != "gate"}
    link(PARTS, [f"{name}={choice}" for name, choice in parts.items()])
    return parts


def _linked_parts() -> dict[str, str]:
    """What the address wants done with each layer, when the page is first opened."""
    return {name: choice for name, _, choice in (text.rpartition("=") for text in linked(PARTS))}


def _settings() -> dict[str, object]:
    values = settings_form(SoftMergeSettings, fields=["granularity"])
    values |= settings_form(SoftMergeSettings, fields=main_fields(SoftMergeSettings, NO_WIDGET))
    with st.expander("More", icon=":material/tune:"):
        more = more_fields(SoftMergeSettings, NO_WIDGET)
        values |= settings_form(SoftMergeSettings, fields=more, offered={"device": devices_offered()})
        values |= settings_form(MergeSpec, fields=["align"])
        values["data"] = settings_form(DataSpec, fields=["train_samples", "validation_samples"])
    return values


def _spec(family: FamilyInfo, picked: Sequence[PickedSource], own: BringOwn, values: dict[str, object]) -> Setup:
    if problem := too_few(picked) or not_offered("Device", str(values["device"]), devices_offered()):
        return Setup(None, problem)
    limits, align = values.pop("data"), values.pop("align")
    try:
        settings = parse(SoftMergeSettings, values, "settings")
        data = parse(DataSpec, {"dataset": own.dataset or family.dataset, **limits}, "data")  # type: ignore[dict-item]
        name = f"{family.title}, {len(picked)} sources, {settings.granularity}"
        chosen = {"name": name, "sources": [s.spec for s in picked], "data": data, "align": align, "settings": settings}
        spec = parse(MergeSpec, chosen, "spec")
    except SoftMergeError as error:
        return Setup(None, str(error))
    return checked(spec, data)
