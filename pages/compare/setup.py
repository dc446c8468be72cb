"""The left side of the Compare page: sources, methods and settings, as the spec of the run they describe."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.shared.choose.form import more_fields, settings_form
from pages.shared.choose.own import BringOwn, bring_own
from pages.shared.choose.sources import PickedSource, pick_family, pick_sources, too_few
from pages.shared.runs.setup import Setup, checked
from pages.shared.show.text import plain
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.compare.spec import CompareSpec, MethodChoice
from softmerge_core.methods import Method, available_methods
from softmerge_core.settings import DataSpec, parse
from softmerge_core.zoo import FamilyInfo, library, same_kind

METHODS, SETTINGS = "compare-methods", "compare:settings"
NO_WIDGET = ("kind", "name", "sources", "data", "methods", "base")  # drawn on their own, or not at all


def compare_setup() -> Setup:
    """All widgets on the left; errors are told, never raised."""
    st.subheader("Sources", anchor=False)
    family = pick_family()
    if family is None:
        return Setup(None)
    picked = pick_sources(family)
    own = bring_own(family)
    picked += own.sources
    st.subheader("Methods", anchor=False)
    names = pick_methods(METHODS, list(available_methods()), list(available_methods()))
    values: dict[str, Any] = {**settings_form(CompareSpec, fields=["align", "seeds"], prefix="compare-")}
    with st.expander("More", icon=":material/tune:"):
        values |= settings_form(CompareSpec, fields=more_fields(CompareSpec, NO_WIDGET), prefix="compare-")
        values["base"] = _base(family)
        values["data"] = settings_form(DataSpec, fields=["train_samples", "validation_samples"], prefix="compare-")
        _method_settings(names)
    return _spec(family, picked, own, names, values)


def pick_methods(key: str, options: Sequence[str], default: Sequence[str]) -> list[str]:
    """The chosen methods in their fixed order, with what each does behind a button."""
    methods = available_methods()
    chosen = st.pills(
        "Ways to merge",
        options,
        selection_mode="multi",
        default=default,
        format_func=lambda name: methods[name].title,
        key=key,
        bind="query-params",
        wrap=True,
        help="Each chosen method merges the same sources.",
    )
    with st.container(horizontal=True, gap="small", key=f"{key}-row"):
        for label, names in (("All", options), ("None", [])):
            st.button(
                label,
                key=f"{key}-{label.lower()}",
                type="tertiary",
                on_click=_choose,
                args=(key, list(names)),
                help=f"Choose {label.lower()} of the methods.",
            )
        with st.popover("What they do", type="tertiary", icon=":material/info:", help="Each method in one sentence."):
            st.markdown("\n".join(_about(methods[name]) for name in options))
    return [name for name in options if name in chosen]


def _choose(key: str, names: list[str]) -> None:
    st.session_state[key] = names


def _about(method: Method) -> str:
    paper = f" *{plain(method.paper, 120)}*" if method.paper else ""
    return f"- **{plain(method.title)}.** {plain(method.summary, 300)}{paper}"


def _base(family: FamilyInfo) -> str:
    """The common ancestor, for methods that need one."""
    own = {f"library/{name}": model.title for name, model in library().items() if same_kind(model, family)}
    if st.session_state.get("compare-base") not in [None, "", *own]:
        del st.session_state["compare-base"]
    field = CompareSpec.model_fields["base"]
    return str(
        st.selectbox(
            str(field.title),
            ["", *own],
            format_func=lambda name: own.get(name, "The family's own, where it has one"),
            key="compare-base",
            persist_state="session",
            help=field.description,
        )
    )


def _method_settings(names: Sequence[str]) -> None:
    """One method's own settings at a time; those of all are kept in the session."""
    methods = available_methods()
    tunable = [name for name in names if methods[name].settings.model_fields]
    if not tunable:
        return
    if st.session_state.get("compare-tune") not in tunable:
        st.session_state["compare-tune"] = "soft" if "soft" in tunable else tunable[0]
    name = st.selectbox(
        "Settings of",
        tunable,
        format_func=lambda name: methods[name].title,
        key="compare-tune",
        persist_state="session",
        help="Each method has settings of its own; choose the one to change.",
    )
    values = settings_form(methods[name].settings, prefix=f"{name}:", bind=False)
    st.session_state.setdefault(SETTINGS, {})[name] = values


def _choice(name: str) -> MethodChoice:
    """A method with those of its settings that the reader has changed; raises SettingsError."""
    model = available_methods()[name].settings
    kept = st.session_state.get(SETTINGS, {}).get(name, {})
    title = available_methods()[name].title
    parsed, usual = parse(model, kept, f"settings of {title}").model_dump(mode="json"), model().model_dump(mode="json")
    return MethodChoice(method=name, settings={key: parsed[key] for key in parsed if parsed[key] != usual[key]})


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


def nothing_to_do(picked: Sequence[PickedSource], names: Sequence[str]) -> str:
    """What is missing among sources and methods, or nothing."""
    return too_few(picked) or ("" if names else "Choose one method or more")
