"""The left side of the Connectivity page: the models to walk between, the paths, and the picture below."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.shared.choose.form import form_state, more_fields, one_of, settings_form
from pages.shared.choose.own import BringOwn, bring_own
from pages.shared.choose.restore import family_of, limits_state, own_state
from pages.shared.choose.sources import PickedSource, model_text, pick_family
from pages.shared.runs.measuring import measured
from pages.shared.runs.setup import Setup, checked
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.connectivity.spec import EXAMPLE, ConnectivitySpec
from softmerge_core.experiments.connectivity.words import OVERLAYS
from softmerge_core.settings import DataSpec, SourceSpec, parse
from softmerge_core.zoo import FamilyInfo

KEY = "connectivity-"
ROLES = ("From", "To", "Third")
CURVE = "The middle of a Bezier curve"
HELP = {
    "From": "Where the path begins, t = 0.",
    "To": "Where the path ends, t = 1.",
    "Third": "The third corner of the plane below: another model, or the middle of a curve trained between the two.",
}
PICTURES = {
    "plane": "Plane through three models",
    "random": "Random directions",
    "bezier": "Bezier curve",
}
MEANING = {
    "plane": "Loss on the plane that goes through three networks, and the path that gate training takes on it.",
    "random": "Loss around the first model along two random directions, each filter scaled to the model's own norm.",
    "bezier": "A curve between the two models, its middle trained so that the loss stays low all along it.",
}


def connectivity_setup() -> Setup:
    """Draw all widgets on the left; errors are returned, never raised."""
    st.header("Models", anchor=False)
    family = pick_family(first=EXAMPLE)
    if family is None:
        return Setup(None)
    place = st.container()
    own = bring_own(family, measured)
    with place:
        picked = _pick_models(family.name, _options(family, own))
    st.header("Paths", anchor=False)
    values = _paths()
    st.header("Picture below", anchor=False)
    values |= _picture()
    with st.expander("More", icon=":material/tune:"):
        values |= settings_form(ConnectivitySpec, fields=more_fields(ConnectivitySpec), prefix=KEY)
        limits = settings_form(DataSpec, fields=["train_samples", "validation_samples"], prefix=KEY)
    return _spec(family, picked, own, values, limits)


def state_of(spec: ConnectivitySpec) -> dict[str, Any]:
    """The values of all widgets on the left, by their keys, that describe this spec; what none can say is left out."""
    state = own_state(spec.sources, spec.data) | limits_state(spec.data, KEY)
    state |= form_state(spec, fields=more_fields(ConnectivitySpec), prefix=KEY)
    if family := family_of(spec.sources, spec.data):
        roles = [f"{KEY}{role.lower()}-{family.name}" for role in ROLES]
        state["family"] = family.name
        offered = {family.source(model) for model in (*family.models, family.base) if model}
        models = [s.model for s in spec.sources if s.model in offered or s.model.startswith("library/")]
        state |= dict(zip(roles, models, strict=False))
        if spec.picture == "plane" and len(spec.sources) == 2:
            state[roles[2]] = ""  # the middle of a curve
    return {
        **state,
        f"{KEY}overlays": list(spec.overlays),
        f"{KEY}starts": spec.starts,
        f"{KEY}picture": spec.picture,
    }


def _options(family: FamilyInfo, own: BringOwn) -> list[PickedSource]:
    """Every model of the family, its trunk, and the models of the reader's own that were chosen to take part."""
    models = [*family.models, *([family.base] if family.base else [])]
    found = [PickedSource(SourceSpec(model=family.source(model)), model_text(model)) for model in models]
    return [*found, *own.sources]


def _pick_models(family: str, options: Sequence[PickedSource]) -> list[PickedSource]:
    """The models chosen as from and to, side by side, and below them the third."""
    names = {option.spec.model: option for option in options}
    keys = list(names)
    first, second = st.columns(2, gap="small")
    chosen = []
    for number, (role, column) in enumerate(zip(ROLES, (first, second, st.container()), strict=True)):
        listed = keys if number < 2 else [*keys, ""]
        with column:
            chosen.append(_pick(role, f"{KEY}{role.lower()}-{family}", listed, names, min(number, len(listed) - 1)))
    return [names[key] for key in chosen if key]


def _pick(role: str, widget: str, keys: Sequence[str], names: dict[str, PickedSource], first: int) -> str:
    return str(
        one_of(
            st.selectbox,
            role,
            keys,
            default=keys[first] if keys else None,
            format_func=lambda key: names[key].title if key else CURVE,
            key=widget,
            bind="query-params",
            help=HELP[role],
        )
    )


def _paths() -> dict[str, Any]:
    """The paths to walk, overlaid in one picture."""
    overlays = st.pills(
        "What is done before walking straight",
        list(OVERLAYS),
        selection_mode="multi",
        default=["plain", "weights", "weights_repair"],
        format_func=lambda key: OVERLAYS.get(key, key),
        key=f"{KEY}overlays",
        bind="query-params",
        wrap=True,
        help="Nothing; permute channels to match, by weights or by activations; then also repair activations "
        "(REPAIR); or train both models toward one weight scope. Each choice is a line in the picture.",
    )
    starts = st.toggle(
        "From the initial weights",
        value=True,
        key=f"{KEY}starts",
        bind="query-params",
        help="Also walk from where each model's training began to where it ended.",
    )
    return {"overlays": [key for key in OVERLAYS if key in overlays], "starts": starts}


def _picture() -> dict[str, Any]:
    """The picture to draw below the paths."""
    picture = str(
        one_of(
            st.pills,
            "Picture below",
            list(PICTURES),
            default="plane",
            format_func=lambda key: PICTURES.get(key, key),
            key=f"{KEY}picture",
            bind="query-params",
            wrap=True,
            label_visibility="collapsed",
            help="The picture that is drawn below the paths.",
        )
    )
    st.caption(MEANING.get(picture, ""))
    return {"picture": picture}


def _spec(
    family: FamilyInfo,
    picked: Sequence[PickedSource],
    own: BringOwn,
    values: dict[str, Any],
    limits: dict[str, Any],
) -> Setup:
    chosen = list(picked) if values["picture"] == "plane" else list(picked[:2])
    if len({str(source.spec) for source in chosen}) < len(chosen):
        return Setup(None, "Choose different models: there is no path from a model to itself")
    if not values["overlays"]:
        return Setup(None, "Choose one path or more")
    try:
        data = parse(DataSpec, {"dataset": own.dataset or family.dataset, **limits}, "data")
        about = {
            "name": f"{family.title}: {' – '.join(source.title.partition(' (')[0] for source in chosen[:2])}",
            "sources": [source.spec for source in chosen],
            "data": data,
        }
        spec: ConnectivitySpec = parse(ConnectivitySpec, {**about, **values}, "spec")
    except SoftMergeError as error:
        return Setup(None, str(error))
    return checked(spec, data)
