"""The left side of the Scope page: the differences between the sources, and the scope they are pulled toward."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.shared.choose.form import (
    choice_title,
    form_state,
    more_fields,
    number_field,
    one_of,
    out_of_range,
    settings_form,
)
from pages.shared.choose.network import dataset_title, fitting
from pages.shared.runs.setup import Setup, checked
from softmerge_core.data import datasets
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.scope.spec import FACTORS, MOST, ScopeSpec, SourceTraining, sources_for
from softmerge_core.experiments.scope.words import MEANING
from softmerge_core.experiments.words import letter
from softmerge_core.numbers import number_text, percent_text
from softmerge_core.settings import parse

KEY = "scope-"
COUNT = "Number of sources"
TITLES = {
    "weight_decay": "Weight decay",
    "label_noise": "Label noise",
    "adam": "Adam",
    "share": "A fifth of the data",
    "feature_noise": "Feature noise",
}
UNITS = {  # field of SourceTraining -> its value in words
    "optimiser": "{}",
    "learning_rate": "learning rate {}",
    "weight_decay": "weight decay {}",
    "label_noise": "{} of the labels random",
    "feature_noise": "noise of {} SDs on the inputs",
    "share": "{} of the samples",
}
TARGETS = {
    "initial": "Initial weights",
    "source": "One source",
    "fused": "Fused, fixed",
    "dynamic": "Fused, renewed",
}
NO_HELP = (
    "Alignment does not always help. Of 25 pairs of these networks, 7 had a barrier above 30 points, 48 on average, "
    "and alignment lowered it to 19. In the other pairs it was 12 on average and rose to 22. The seeds chosen here "
    "belong to a pair with a barrier. From *different* initial weights alignment changes nothing, and at this weight "
    "it harms the small 1-D CNN (mnist1d)."
)


def factor_title(factor: str) -> str:
    """The title of a training factor."""
    return TITLES.get(factor, choice_title(factor))


def scope_setup() -> Setup:
    """Draw all widgets on the left; errors are returned, never raised."""
    st.header("Sources", anchor=False)
    factor = _factor()
    about = st.container()
    same = st.toggle(
        "Same initial weights",
        value=True,
        key=f"{KEY}same_start",
        bind="query-params",
        help="All sources start from the same random weights, or each from its own.",
    )
    st.header("Alignment", anchor=False)
    values = {"same_start": same, **_target()}
    values |= settings_form(ScopeSpec, fields=["weight", "epochs"], prefix=KEY)
    st.caption(f":material/info: {NO_HELP}")
    with st.expander("More", icon=":material/tune:"):
        values |= _network()
        sources, problem = _sources(factor)
        values |= settings_form(ScopeSpec, fields=_rest(values["target"]), prefix=KEY)
    with about:
        st.caption(differences(sources))
    return Setup(None, problem) if problem else _spec(factor, sources, values)


def state_of(spec: ScopeSpec) -> dict[str, Any]:
    """The values of all widgets on the left, by their keys, that describe this spec; what none can say is left out."""
    spec, count = spec.settled(), len(spec.sources)
    alike = (name for name in FACTORS if sources_for(name, count) == spec.sources)
    factor = next(alike, next(iter(FACTORS)))
    state: dict[str, Any] = {f"{KEY}factor": factor, f"{KEY}same_start": spec.same_start, f"{KEY}target": spec.target}
    state |= {f"{KEY}sources": count}
    if spec.data.dataset in datasets():
        state[f"{KEY}dataset"] = spec.data.dataset
    if spec.network in fitting(spec.data.dataset):
        state[f"{KEY}network-{spec.data.dataset}"] = spec.network
    for number, source in enumerate(spec.sources):
        state |= form_state(source, prefix=f"{KEY}{factor}-{letter(number).lower()}-")
    return state | form_state(spec, fields=["weight", "epochs", *_rest(spec.target)], prefix=KEY)


def _factor() -> str:
    return str(
        one_of(
            st.pills,
            "How the second source differs",
            list(FACTORS),
            default=next(iter(FACTORS)),
            format_func=factor_title,
            key=f"{KEY}factor",
            bind="query-params",
            wrap=True,
            help="The training factor in which the sources differ; every value can be changed under More.",
        )
    )


def _target() -> dict[str, Any]:
    """The scope toward which all are pulled."""
    target = str(
        one_of(
            st.pills,
            "Target scope",
            list(TARGETS),
            default="initial",
            format_func=lambda name: TARGETS.get(name, name),
            key=f"{KEY}target",
            bind="query-params",
            wrap=True,
            help="The mean and spread of each layer's weights that training is pulled toward.",
        )
    )
    st.caption(MEANING.get(target, ""))
    return {"target": target}


def _network() -> dict[str, Any]:
    """The data set, and a network that can take its samples."""
    first, second = st.columns(2, gap="small")
    defaults = ScopeSpec()
    names = list(datasets())
    with first:
        dataset = one_of(
            st.selectbox,
            "Data set",
            names,
            default=defaults.data.dataset,
            format_func=dataset_title,
            key=f"{KEY}dataset",
            bind="query-params",
            help="The samples that the networks learn to classify.",
        )
    names = fitting(dataset)
    with second:
        network = one_of(
            st.selectbox,
            "Network",
            names,
            default=defaults.network,
            key=f"{KEY}network-{dataset}",
            bind="query-params",
            help="The architecture, out of those that can take this data set's samples.",
        )
    return {"data": {"dataset": dataset}, "network": network}


def _sources(factor: str) -> tuple[list[dict[str, Any]], str]:
    """The settings of each source, from a form that begins with those of the factor; the problem with their number."""
    help = "How many networks are trained; all but the first differ by the factor chosen above."
    entered = number_field(COUNT, int, 2, MOST, value=2, step=1, key=f"{KEY}sources", bind="query-params", help=help)
    count = min(max(int(entered or 0), 2), MOST)
    usual = sources_for(factor, count)
    tabs = st.tabs([f"Source {letter(number)}" for number in range(count)])
    found = []
    for number, (tab, own) in enumerate(zip(tabs, usual, strict=True)):
        with tab:
            prefix = f"{KEY}{factor}-{letter(number).lower()}-"
            found.append(settings_form(SourceTraining, prefix=prefix, defaults=own.model_dump()))
    return found, out_of_range(COUNT, int(entered or 0), 2, MOST)


def _rest(target: str) -> list[str]:
    """The fields under More; those that the chosen target does not use are left out."""
    used = {"target_source": target == "source", "refuse_every": target == "dynamic", "fusion": target != "source"}
    return [name for name in more_fields(ScopeSpec) if used.get(name, True)]


def differences(sources: Sequence[dict[str, Any]]) -> str:
    """Source A in words, and the settings in which each other source differs."""
    first, always = sources[0], ("optimiser", "learning_rate")
    shown = [name for name in UNITS if name in always or first[name] not in (0, 1)]  # no noise and all data go unsaid
    parts = [f"Source A: {', '.join(_value(name, first[name]) for name in shown)}"]
    for number, source in enumerate(sources[1:], 1):
        changed = [_value(name, source[name]) for name in UNITS if source[name] != first[name]]
        parts.append(f"{letter(number)}: {', '.join(changed) or 'the same, in another order of samples'}")
    return f"{'; '.join(parts)}."


def _value(name: str, value: Any) -> str:
    if isinstance(value, str) or value is None:
        return UNITS[name].format(choice_title(value) if value else value)
    return UNITS[name].format(percent_text(value) if name in ("label_noise", "share") else number_text(value, 6))


def _spec(factor: str, sources: Sequence[dict[str, Any]], values: dict[str, Any]) -> Setup:
    start = "one start" if values["same_start"] else "starts of their own"
    name = f"{factor_title(factor)}, {values['network']} on {dataset_title(values['data']['dataset'])}, from {start}"
    try:
        spec: ScopeSpec = parse(ScopeSpec, {"name": name, "sources": list(sources), **values}, "spec")
    except SoftMergeError as error:
        return Setup(None, str(error))
    return checked(spec, spec.data)
