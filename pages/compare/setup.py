"""The left side of the Compare page: sources, methods and settings, and the spec that they describe."""

import contextlib
import json
from collections.abc import Sequence
from typing import Any

import streamlit as st
from pydantic import BaseModel

from pages.compare.across import OTHERS, TARGET, others_of, pick_others, pick_target, tell_possible
from pages.shared.choose.form import form_state, more_fields, one_of, settings_form
from pages.shared.choose.linked import link, linked
from pages.shared.choose.methods import nothing_to_do, pick_methods
from pages.shared.choose.own import BringOwn, bring_own
from pages.shared.choose.restore import family_of, limits_state, sources_state
from pages.shared.choose.sources import PickedSource, pick_family, pick_sources
from pages.shared.runs.measuring import measured
from pages.shared.runs.setup import Setup, checked
from pages.shared.show.page_state import beside, refuse
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.compare.labels import cost
from softmerge_core.experiments.compare.spec import CompareSpec, MethodChoice, fitting
from softmerge_core.experiments.kinds import apart
from softmerge_core.methods import available_methods
from softmerge_core.settings import DataSpec, SourceSpec, parse
from softmerge_core.zoo import FamilyInfo, library, same_kind

METHODS, SETTINGS = "compare-methods", "compare:settings"
LINKED = "method-settings"  # the name of the methods' own settings in the address
MAIN = ("align", "seeds", "labels")
NO_WIDGET = ("kind", "name", "sources", "data", "methods", "base", "target")  # each has a widget of its own, or none
ONE_KIND = ("align", "repair")  # only for sources of one architecture


def compare_setup() -> Setup:
    """Draw all widgets on the left; errors are returned, never raised."""
    st.header("Sources", anchor=False)
    family = pick_family()
    if family is None:
        return Setup(None)
    picked = pick_sources(family, measured)
    picked += pick_others(family)
    own = bring_own(family, measured)
    picked += own.sources
    sources = [source.spec for source in picked]
    mixed, skipped = bool(apart(sources)), ONE_KIND if apart(sources) else ()
    st.header("Methods", anchor=False)
    tell_possible(sources)
    values: dict[str, Any] = {"target": pick_target(picked)} if mixed else {}
    options = [method.name for method in fitting(sources)] if mixed else list(available_methods())
    names = pick_methods(_methods_key(sources), options, options)
    values |= settings_form(CompareSpec, fields=[name for name in MAIN if name not in skipped], prefix="compare-")
    told = st.container()
    with st.expander("More", icon=":material/tune:"):
        values |= settings_form(CompareSpec, fields=more_fields(CompareSpec, (*NO_WIDGET, *skipped)), prefix="compare-")
        if not mixed:
            values |= {"target": pick_target(picked), "base": _base(family)}
        values["data"] = settings_form(DataSpec, fields=["train_samples", "validation_samples"], prefix="compare-")
        _linked_settings()
        tuned = _method_settings(names)
        _link_settings(names, tuned)
    setup = _spec(family, picked, own, names, values)
    if isinstance(setup.spec, CompareSpec) and (more := cost(setup.spec)):
        told.caption(f":material/add: {plain(more, 300)}")
    return setup


def state_of(spec: CompareSpec) -> dict[str, Any]:
    """The values of all widgets on the left, by their keys, that describe this spec; what none can say is left out."""
    state = sources_state(spec.sources, spec.data) | limits_state(spec.data, "compare-")
    state |= form_state(spec, fields=[*MAIN, *more_fields(CompareSpec, NO_WIDGET)], prefix="compare-")
    tuned: dict[str, Any] = {}
    for choice in spec.settled().methods:
        settings = parse(available_methods()[choice.method].settings, choice.settings, "settings")
        state |= form_state(settings, prefix=f"{choice.method}:")
        tuned[choice.method] = settings.model_dump(mode="json")
    state |= {OTHERS: others_of(spec.sources, family_of(spec.sources, spec.data)), TARGET: spec.target}
    return {**state, _methods_key(spec.sources): list(tuned), SETTINGS: tuned, "compare-base": spec.base}


def _methods_key(sources: Sequence[SourceSpec]) -> str:
    """The key of the chosen methods: what is chosen of all is kept while sources can be merged in few ways."""
    return "-".join(filter(None, (METHODS, apart(sources))))


def _base(family: FamilyInfo) -> str:
    """The model to use as common ancestor, or "" for the family's own."""
    own = {f"library/{name}": model.title for name, model in library().items() if same_kind(model, family)}
    if st.session_state.get("compare-base") not in [None, "", *own]:
        del st.session_state["compare-base"]
    field = CompareSpec.model_fields["base"]
    return str(
        one_of(
            st.selectbox,
            str(field.title),
            ["", *own],
            format_func=lambda name: own.get(name, "The family's own, where it has one"),
            key="compare-base",
            bind="query-params",
            persist_state="session",
            help=field.description,
        )
    )


def _method_settings(names: Sequence[str]) -> str:
    """Draw the settings of one method at a time, and return which; those of all methods are kept in the session."""
    methods = available_methods()
    tunable = [name for name in names if methods[name].settings.model_fields]
    if not tunable:
        return ""
    if st.session_state.get("compare-tune") not in tunable:
        st.session_state["compare-tune"] = "soft" if "soft" in tunable else tunable[0]
    name = one_of(
        st.selectbox,
        "Settings of",
        tunable,
        format_func=lambda name: methods[name].title,
        key="compare-tune",
        bind="query-params",
        persist_state="session",
        help="Each method has settings of its own; choose the one to change.",
    )
    values = settings_form(methods[name].settings, prefix=f"{name}:", bind=False)
    st.session_state.setdefault(SETTINGS, {})[name] = values
    return name


def _linked_settings() -> None:
    """Take over the settings of methods in the address with which the page was opened; tell those that cannot be."""
    asked: dict[str, dict[str, Any]] = {}
    for text in linked(LINKED):
        place, _, value = text.partition("=")
        method, _, field = place.partition(":")
        asked.setdefault(method, {})[field] = _value(value)
    for name, values in asked.items():
        try:
            known = available_methods()[name]
            _set(name, parse(known.settings, values, known.title))
        except KeyError:
            refuse(LINKED, name, "no such method")
        except SoftMergeError as error:
            refuse(LINKED, name, str(error))


def _set(name: str, settings: BaseModel) -> None:
    """Put the widgets of a method to these settings."""
    st.session_state.update(form_state(settings, prefix=f"{name}:"))
    st.session_state.setdefault(SETTINGS, {})[name] = settings.model_dump(mode="json")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:  # a word
        return text


def _link_settings(names: Sequence[str], tuned: str) -> None:
    """Keep the settings that the reader has changed in the address; links hold all of the method ``tuned`` as well."""
    changed, shown = [], []
    for name in names:
        with contextlib.suppress(SoftMergeError):  # which is told when the methods are put together
            choice = _choice(name)
            changed += [f"{name}:{field}={_text(value)}" for field, value in choice.settings.items()]
            whole = _settings_of(name) if name == tuned else choice.settings
            shown += [f"{name}:{field}={_text(value)}" for field, value in whole.items()]
    link(LINKED, changed)
    beside(LINKED, shown)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _choice(name: str) -> MethodChoice:
    """A method with the settings that the reader has changed; raises SettingsError."""
    parsed = _settings_of(name)
    usual = available_methods()[name].settings().model_dump(mode="json")
    return MethodChoice(method=name, settings={key: parsed[key] for key in parsed if parsed[key] != usual[key]})


def _settings_of(name: str) -> dict[str, Any]:
    """All settings of a method as they are; raises SettingsError."""
    method = available_methods()[name]
    kept = st.session_state.get(SETTINGS, {}).get(name, {})
    found: dict[str, Any] = parse(method.settings, kept, f"settings of {method.title}").model_dump(mode="json")
    return found


def _spec(
    family: FamilyInfo, picked: Sequence[PickedSource], own: BringOwn, names: Sequence[str], values: dict[str, Any]
) -> Setup:
    if problem := nothing_to_do(picked, names):
        return Setup(None, problem)
    limits = values.pop("data")
    try:
        data = parse(DataSpec, {"dataset": own.dataset or family.dataset, **limits}, "data")
        chosen = {
            "name": f"{family.title}, {len(picked)} sources, {len(names)} methods",
            "sources": [source.spec for source in picked],
            "data": data,
            "methods": [_choice(name) for name in names],
        }
        spec: CompareSpec = parse(CompareSpec, {**chosen, **values}, "spec")
    except SoftMergeError as error:
        return Setup(None, str(error))
    return checked(spec, data)
