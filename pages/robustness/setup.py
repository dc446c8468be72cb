"""The left side of the Robustness page: the honest sources, the attack of some of them, and the methods to test."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from pages.shared.choose.attack import pick_malicious, pick_strength
from pages.shared.choose.form import form_state, one_of, settings_form
from pages.shared.choose.methods import nothing_to_do, pick_methods
from pages.shared.choose.own import BringOwn, bring_own
from pages.shared.choose.restore import limits_state, sources_state
from pages.shared.choose.sources import PickedSource, pick_family, pick_sources
from pages.shared.runs.measuring import measured
from pages.shared.runs.setup import Setup, checked
from pages.shared.show.text import plain
from softmerge_core.attacks import attacks
from softmerge_core.errors import SoftMergeError
from softmerge_core.experiments.robustness.spec import COPY, METHODS, RobustnessSpec, attack_of
from softmerge_core.methods import available_methods
from softmerge_core.settings import DataSpec, parse
from softmerge_core.zoo import FamilyInfo

ATTACKS = (*attacks(), COPY.name)
STRENGTH_HELP = "How strong the attack is; the picture on the right shows other strengths beside it."
MALICIOUS_HELP = "The last ones of the chosen sources are malicious; at least one source stays honest."
KEY = "robustness-"


def robustness_setup() -> Setup:
    """Draw all widgets on the left; errors are returned, never raised."""
    st.header("Honest sources", anchor=False)
    family = pick_family()
    if family is None:
        return Setup(None)
    picked = pick_sources(family, honest=True)
    own = bring_own(family, measured)
    picked += own.sources
    st.header("Attack", anchor=False)
    values, problem = _attack(picked)
    st.header("Methods", anchor=False)
    options = [name for name, method in available_methods().items() if "base" not in method.needs]
    names = pick_methods(f"{KEY}methods", options, [name for name in METHODS if name in options])
    values |= settings_form(RobustnessSpec, fields=["seeds"], prefix=KEY)
    with st.expander("More", icon=":material/tune:"):
        values |= settings_form(RobustnessSpec, fields=["seed"], prefix=KEY)
        limits = settings_form(DataSpec, fields=["train_samples", "validation_samples"], prefix=KEY)
    return Setup(None, problem) if problem else _spec(family, picked, own, names, values, limits)


def state_of(spec: RobustnessSpec) -> dict[str, Any]:
    """The values of all widgets on the left, by their keys, that describe this spec; what none can say is left out."""
    spec = spec.settled()
    state = sources_state(spec.sources, spec.data, honest=True) | limits_state(spec.data, KEY)
    state |= {f"{KEY}attack": spec.attack, f"{KEY}malicious": spec.malicious, f"{KEY}methods": list(spec.methods)}
    if spec.strength is not None:
        state[f"{KEY}strength-{spec.attack}"] = spec.strength
    return state | form_state(spec, fields=["seed", "seeds"], prefix=KEY)


def _attack(picked: Sequence[PickedSource]) -> tuple[dict[str, Any], str]:
    """The attack, its strength and the number of malicious sources, the last ones; and the problem with it, or ""."""
    attack = str(
        one_of(
            st.pills,
            "What malicious sources do",
            list(ATTACKS),
            default="extreme",
            format_func=lambda name: attack_of(name).title,
            key=f"{KEY}attack",
            bind="query-params",
            wrap=True,
            help="What malicious sources send instead of their own weights.",
        )
    )
    st.caption(f"Each malicious source sends {attack_of(attack).sends}.")
    first, second = st.columns(2, gap="small", vertical_alignment="bottom")
    with first:
        malicious, problem = pick_malicious(len(picked), 1, f"{KEY}malicious", MALICIOUS_HELP)
    with second:
        strength = pick_strength(attack_of(attack), f"{KEY}strength", STRENGTH_HELP)
    if malicious:
        names = "; ".join(plain(source.title, 40) for source in picked[-malicious:])
        st.caption(f":material/warning: Malicious: {names}.")
    return {"attack": attack, "malicious": malicious, "strength": strength}, problem


def _spec(
    family: FamilyInfo,
    picked: Sequence[PickedSource],
    own: BringOwn,
    names: Sequence[str],
    values: dict[str, Any],
    limits: dict[str, Any],
) -> Setup:
    if problem := nothing_to_do(picked, names):
        return Setup(None, problem)
    try:
        data = parse(DataSpec, {"dataset": own.dataset or family.dataset, **limits}, "data")
        about = f"{attack_of(values['attack']).title.lower()}, {values['malicious']} of {len(picked)} malicious"
        chosen = {
            "name": f"{family.title}, {about}",
            "sources": [source.spec for source in picked],
            "data": data,
            "methods": list(names),
        }
        spec: RobustnessSpec = parse(RobustnessSpec, {**chosen, **values}, "spec")
    except SoftMergeError as error:
        return Setup(None, str(error))
    return checked(spec, data)
